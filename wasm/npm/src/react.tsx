// Hooks for React: `import { TaiiNetProvider, useSubscription } from "taiinet/react"`.

import { createContext, useContext, useEffect, useState, type ReactNode } from "react";
import type { Delivery, Fields, PeerInfo, Query, Ready, TaiiNet } from "./index.js";

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

export interface UseSubscriptionOptions {
  /** How many documents to keep, the newest; default 100. */
  limit?: number;
  /** Also what neighbours still hold, as for `subscribe`; default false. */
  backlog?: boolean | { limit?: number };
  /** With a key of its own, to which others can seal; default false. */
  private?: boolean;
}

/** What JSON would leave out or refuse, told apart from all else. */
function asText(_: string, value: unknown): unknown {
  if (typeof value === "string") return `"${value}`;
  return value === undefined || ["bigint", "number", "symbol", "function"].includes(typeof value) ? `${typeof value} ${String(value)}` : value;
}

/** The newest documents that match, newest first. The query may be written in place: it counts as
 *  another only when its JSON differs. `ready` is there once the backlog, if it was asked for, has come. */
export function useSubscription<T extends object = Fields>(
  query: Query<T>,
  { limit = 100, backlog = false, private: isPrivate = false }: UseSubscriptionOptions = {},
): { documents: readonly Delivery<T>[]; error: Error | undefined; ready: Ready | undefined } {
  const taiinet = useTaiiNet();
  const [documents, setDocuments] = useState<readonly Delivery<T>[]>([]);
  const [error, setError] = useState<Error>();
  const [ready, setReady] = useState<Ready>();
  const text = JSON.stringify(query, asText);

  const backlogText = JSON.stringify(backlog);

  useEffect(() => {
    const asked = JSON.parse(backlogText) as typeof backlog;
    setDocuments([]);
    setError(undefined);
    setReady(undefined);
    let subscription;
    try {
      subscription = taiinet.subscribe<T>(query, { backlog: asked, private: isPrivate });
    } catch (fault) {
      setError(fault as Error);
      return;
    }
    // One render for all that come in one frame.
    let fresh: Delivery<T>[] = [];
    let frame = 0;
    const show = () => {
      const news = fresh;
      fresh = [];
      frame = 0;
      setDocuments((before) => [...news, ...before].sort((a, b) => b.createdAt - a.createdAt).slice(0, limit));
    };
    const take = (delivery: Delivery<T>) => {
      fresh.push(delivery);
      frame ||= requestAnimationFrame(show);
    };
    subscription.on("data", take);
    subscription.on("backlog", take);
    subscription.on("error", setError);
    subscription.on("ready", setReady);
    const opened = subscription;
    return () => {
      cancelAnimationFrame(frame);
      opened.close();
    };
    // The text stands for the query.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [taiinet, text, limit, backlogText, isPrivate]);

  return { documents, error, ready };
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
