// A small typed emitter.

import { listener } from "./arguments.js";
import { TaiiNetError, didYouMean } from "./errors.js";

type Listener<E> = (event: E) => void;

/** Something to listen to. */
export class Emitter<Events extends object> {
  readonly #known: readonly (keyof Events & string)[];
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();

  /** `known` are the names of all events. */
  constructor(known: readonly (keyof Events & string)[]) {
    this.#known = known;
  }

  /** Calls `listener` for each event of this name; the function that comes back ends that. */
  on<K extends keyof Events & string>(name: K, listen: Listener<Events[K]>): () => void {
    if (!this.#known.includes(name)) {
      throw new TaiiNetError("argument", `there is no event \`${String(name)}\`${didYouMean(String(name), this.#known)}`);
    }
    listener(listen);
    const all = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, all.add(listen));
    return () => this.off(name, listen);
  }

  /** As {@link on}, for the next event only. */
  once<K extends keyof Events & string>(name: K, listen: Listener<Events[K]>): () => void {
    listener(listen);
    const off = this.on(name, (event) => {
      off();
      listen(event);
    });
    return off;
  }

  /** Ends what {@link on} began. */
  off<K extends keyof Events & string>(name: K, listen: Listener<Events[K]>): void {
    this.#listeners.get(name)?.delete(listen);
  }

  /** @internal Whether there is a listener. */
  protected listened(name: keyof Events & string): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  /** @internal A listener that throws does not keep the others from hearing. */
  protected emit<K extends keyof Events & string>(name: K, event: Events[K]): void {
    for (const listen of [...(this.#listeners.get(name) ?? [])]) {
      try {
        (listen as Listener<Events[K]>)(event);
      } catch (error) {
        report(error);
      }
    }
  }
}

/** As an uncaught error, which the page's developer sees. */
export function report(error: unknown): void {
  if (typeof reportError === "function") reportError(error);
  else setTimeout(() => { throw error; });
}
