// Life of a page: hidden, asleep, offline, on its way out.

/** What a page's life means to the peer that lives in it. */
export interface Living {
  /** Timers may come once a minute from now on, or no longer. */
  doze(dozing: boolean): void;
  /** Back on a network, or awake. */
  wake(): void;
  /** The page is going away. */
  leave(): void;
}

/** Follows the page's life until the function that comes back is called. Where there is no page, as
 *  in Node, there is nothing to follow. */
export function liveIn({ doze, wake, leave }: Living): () => void {
  if (typeof document === "undefined" || typeof addEventListener === "undefined") return () => {};
  const stop = new AbortController();
  const { signal } = stop;
  document.addEventListener("visibilitychange", () => doze(document.hidden), { signal });
  document.addEventListener("resume", () => wake(), { signal });
  addEventListener("online", () => wake(), { signal });
  addEventListener("pageshow", (event) => event.persisted && wake(), { signal });
  // A page that is kept for the way back is only put to sleep.
  addEventListener("pagehide", (event) => (event.persisted ? doze(true) : leave()), { signal });
  if (document.hidden) doze(true);
  return () => stop.abort();
}

/** Whether the device says that it is on no network. */
export function isOffline(): boolean {
  return typeof navigator !== "undefined" && navigator.onLine === false;
}
