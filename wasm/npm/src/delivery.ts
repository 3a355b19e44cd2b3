// Documents as the page gets them.

import type { Privacy, Raw } from "./engine.js";
import { decode, type Fields } from "./values.js";

/** A document as it was delivered, or found. */
export interface Delivery<T = Fields> {
  data: T;
  /** The document's name. */
  id: string;
  /** The peer that signed it: a PeerId, `tn1…`. */
  author: string;
  /** The peer whose document it is a version of; mostly its author. */
  owner: string;
  /** When its author published it, in milliseconds since 1970 by the author's clock. */
  createdAt: number;
  /** From when on it is worthless, in milliseconds since 1970; undefined if its author has set no end. */
  expiresAt: number | undefined;
  /** When it came here. */
  receivedAt: number;
  /** How many links it crossed; 0 for our own, and for what was found. */
  hops: number;
  /** The neighbour it came from; undefined for our own, and for what was found. */
  from: string | undefined;
  /** The newest document of one owner under one key replaces the older. */
  key: string | undefined;
  /** The peers that may write versions of it beside its owner from this one on, or `"anyone"`; undefined if none may,
   *  or if this version is not the owner's. */
  writers: "anyone" | string[] | undefined;
  /** The id of the version that it replaces, if the subscription was shown one. */
  replaces: string | undefined;
  /** Whether it was published before the subscription. */
  backlog: boolean;
  /** Who could read it on its way: everyone (`"open"`); its recipients, and anyone that gets hold of the
   *  identity key of one of them later (`"sealed"`); its recipients, and no one once the
   *  subscription has ended (`"forward-secret"`). */
  privacy: Privacy;
}

/** @internal */
export function toDelivery<T>({ json, exact, cost, owner, backlog = false, ...rest }: Raw): Delivery<T> {
  return { data: decode(json, exact) as T, owner: owner ?? rest.author, backlog, ...rest };
}
