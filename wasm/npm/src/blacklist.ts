// The peers that are kept out, and where the list is kept from visit to visit.

import { duration, options as checkOptions, string } from "./arguments.js";
import type { Blacklisted, Engine, StateStore } from "./engine.js";

export interface BlacklistOptions {
  /** For how long: milliseconds, `"30m"`, `"7d"`. Until it is unblocked if not given. */
  for?: number | string;
}

/** The peers that are kept out: those that misbehaved, automatically, and those that the page adds. */
export class Blacklist {
  readonly #engine: () => Promise<Engine>;

  /** @internal */
  constructor(engine: () => Promise<Engine>) {
    this.#engine = engine;
  }

  /** Keeps a peer (`tn1…`) out: no links, none of its documents. */
  async add(peer: string, options?: BlacklistOptions): Promise<void> {
    string(peer, "peer", "argument");
    const { for: life } = checkOptions<BlacklistOptions>(options, ["for"]);
    const until = life === undefined ? undefined : Math.round(Date.now() + duration(life, "options.for"));
    await (await this.#engine()).blacklist(peer, until);
  }

  /** The peers that are kept out now. */
  async list(): Promise<Blacklisted[]> {
    return (await (await this.#engine()).status()).blacklist;
  }

  /** Forgives a peer whatever it did; whether it was kept out. */
  async unblock(peer: string): Promise<boolean> {
    string(peer, "peer", "argument");
    return (await this.#engine()).unblock(peer);
  }
}

/** A store of what belongs to the identity of this name; one that forgets all, where a browser keeps nothing. */
export function stateStore(identity: string | undefined, what: "blacklist" | "signallers" | "stamps"): StateStore {
  const name = `taiinet ${what} ${identity}`;
  const attempt = <T>(act: (storage: Storage) => T): T | undefined => {
    try {
      return identity === undefined ? undefined : act(localStorage);
    } catch {
      return undefined;
    }
  };
  return {
    load: () => {
      const list = attempt((storage) => storage.getItem(name));
      try {
        // A damaged list must not keep the peer from starting.
        return list && Array.isArray(JSON.parse(list)) ? list : undefined;
      } catch {
        return undefined;
      }
    },
    save: (list) => void attempt((storage) => storage.setItem(name, list)),
  };
}
