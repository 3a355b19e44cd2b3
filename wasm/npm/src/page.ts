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

/** Calls `freeze` when the page is about to stand still, with all its timers and tasks, and `thaw` when it goes
 *  on; until the function that comes back is called. */
export function standstill(freeze: () => void, thaw: () => void): () => void {
  if (typeof document === "undefined" || typeof addEventListener === "undefined") return () => {};
  const stop = new AbortController();
  const { signal } = stop;
  document.addEventListener("freeze", freeze, { signal });
  document.addEventListener("resume", thaw, { signal });
  addEventListener("pagehide", (event) => event.persisted && freeze(), { signal });
  addEventListener("pageshow", (event) => event.persisted && thaw(), { signal });
  return () => stop.abort();
}

/** Whether links to other peers can be made here: not in workers, nor where it is turned off. */
export function hasWebRtc(): boolean {
  return typeof RTCPeerConnection !== "undefined";
}

/** Whether the device says that it is on no network. */
export function isOffline(): boolean {
  return typeof navigator !== "undefined" && navigator.onLine === false;
}
