// Hooks for React: `import { TaiiNetProvider, useQuery } from "taiinet/react"`.

import { createContext, useContext, useEffect, useMemo, useState, useSyncExternalStore, type ReactNode } from "react";
import type { Backlog, Delivery, Fields, LiveOptions, LiveSnapshot, PeerInfo, Query, Ready, Subscription, TaiiNet } from "./index.js";
import { liveSource } from "./live.js";

const Context = createContext<TaiiNet | undefined>(undefined);

/** Gives a peer to the components in it. Make the peer once, outside of components. */
export function TaiiNetProvider({ value, children }: { value: TaiiNet; children?: ReactNode }): ReactNode {
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

/** The peer of the nearest {@link TaiiNetProvider}. */
export function useTaiiNet(): TaiiNet {
  const taiinet = useContext(Context);
  if (!taiinet) throw new Error("useTaiiNet: put the component into a <TaiiNetProvider value={taiinet}>");
  return taiinet;
}

/**
 * The documents that match, in an order, the first so many of them, kept true: see `TaiiNet.live`. The query may be written
 * in place: it counts as another only when its JSON differs. Components with equal queries and options share one set;
 * without a query there is nothing to show.
 */
export function useQuery<T extends object = Fields>(query: Query<T> | undefined, options?: LiveOptions<T>): LiveSnapshot<T> {
  const taiinet = useTaiiNet();
  const text = JSON.stringify([query, options], asText);
  // The text stands for the query and the options.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const live = useMemo(() => liveSource<T>(taiinet, query, options), [taiinet, text]);
  return useSyncExternalStore(live.subscribe, live.getSnapshot, live.getServerSnapshot);
}

export interface UseSubscriptionOptions {
  /** How many documents to keep, the newest; default 100. */
  limit?: number;
  /** Also what was published before and is still held, as for `subscribe`; default false. */
  backlog?: Backlog;
  /** With a key of its own, to which others can seal; default false. */
  private?: boolean;
  /** Tells nobody what is wanted, and gets all documents of the network, as for `subscribe`; default false. */
  discreet?: boolean;
}

/** What JSON would leave out or refuse, told apart from all else. */
function asText(_: string, value: unknown): unknown {
  if (typeof value === "string") return `"${value}`;
  return value === undefined || ["bigint", "number", "symbol", "function"].includes(typeof value) ? `${typeof value} ${String(value)}` : value;
}

/** What a subscription shows now. */
export interface SubscriptionView<T> {
  /** The newest documents, the newest first: of each key one version, and none that is deleted or expired. */
  documents: readonly Delivery<T>[];
  error: Error | undefined;
  /** There once the backlog, if it was asked for, has come. */
  ready: Ready | undefined;
}

const NOTHING: SubscriptionView<never> = { documents: [], error: undefined, ready: undefined };

/** A subscription while a component shows it, as React wants to see it. */
class Wall<T extends object> {
  readonly #open: () => Subscription<T>;
  readonly #limit: number;
  #documents: Delivery<T>[] = [];
  #shown: SubscriptionView<T> = NOTHING;
  #frame: number | undefined;

  constructor(open: () => Subscription<T>, limit: number) {
    this.#open = open;
    this.#limit = limit;
  }

  readonly get = (): SubscriptionView<T> => this.#shown;

  /** Subscribes until the function that comes back is called. */
  readonly watch = (changed: () => void): (() => void) => {
    this.#shown = NOTHING;
    const show = (news: Partial<SubscriptionView<T>>) => {
      this.#shown = { ...this.#shown, ...news };
      changed();
    };
    // One render for all that comes in one frame. A page that is hidden has no frames: it keeps what it would show.
    const later = () => {
      this.#frame ??= requestAnimationFrame(() => {
        this.#frame = undefined;
        show({ documents: [...this.#documents] });
      });
    };
    const take = (delivery: Delivery<T>) => {
      this.#take(delivery);
      later();
    };
    let subscription: Subscription<T>;
    try {
      subscription = this.#open();
    } catch (error) {
      show({ error: error as Error });
      return () => {};
    }
    subscription.on("data", take);
    subscription.on("backlog", take);
    subscription.on("remove", ({ id }) => {
      this.#drop(id);
      later();
    });
    subscription.on("error", (error) => show({ error }));
    subscription.on("ready", (ready) => show({ documents: [...this.#documents], ready }));
    return () => {
      if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
      this.#frame = undefined;
      this.#documents = [];
      subscription.close();
    };
  };

  #take(delivery: Delivery<T>): void {
    if (delivery.replaces !== undefined) this.#drop(delivery.replaces);
    const at = this.#documents.findIndex(({ createdAt }) => createdAt <= delivery.createdAt);
    this.#documents.splice(at < 0 ? this.#documents.length : at, 0, delivery);
    this.#documents.length = Math.min(this.#documents.length, this.#limit);
  }

  #drop(id: string): void {
    this.#documents = this.#documents.filter((one) => one.id !== id);
  }
}

/** The newest documents that match, newest first. The query may be written in place: it counts as
 *  another only when its JSON differs. */
export function useSubscription<T extends object = Fields>(
  query: Query<T>,
  { limit = 100, backlog = false, private: isPrivate = false, discreet = false }: UseSubscriptionOptions = {},
): SubscriptionView<T> {
  const taiinet = useTaiiNet();
  const [text, backlogText] = [query, backlog].map((one) => JSON.stringify(one, asText));
  const wall = useMemo(
    () => new Wall<T>(() => taiinet.subscribe<T>(query, { backlog, private: isPrivate, discreet }), limit),
    // The texts stand for the query and the backlog.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [taiinet, text, limit, backlogText, isPrivate, discreet],
  );
  return useSyncExternalStore(wall.watch, wall.get, wall.get);
}

/** The neighbours, kept up to date. */
export function usePeers(): readonly PeerInfo[] {
  const taiinet = useTaiiNet();
  const [peers, setPeers] = useState<readonly PeerInfo[]>([]);
  useEffect(() => {
    let current = true;
    const look = () => {
      taiinet.peers().then(
        (news) => current && setPeers(news),
        () => {},
      );
    };
    const offs = [taiinet.on("peer-connected", look), taiinet.on("peer-disconnected", look)];
    look();
    return () => {
      current = false;
      offs.forEach((off) => off());
    };
  }, [taiinet]);
  return peers;
}
