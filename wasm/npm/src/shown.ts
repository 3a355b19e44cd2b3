// What a subscription was shown. A peer that is started again, or in another tab, knows nothing of it, and begins
// from the start.

import type { Raw } from "./engine.js";

/** So many documents are remembered at least, the latest. */
const REMEMBERED = 8192;

interface Known {
  createdAt: number;
  /** What the versions by one author have in common. */
  name: string | undefined;
  isGone: boolean;
}

export class Shown {
  #documents = new Map<string, Known>();
  /** The latest of each name. */
  #names = new Map<string, string>();
  /** What was published from the one to the other was shown, as far as it is not remembered. */
  #from: number;
  #forgotten = -Infinity;
  /** When the oldest of the documents from before was published. */
  #oldest = Infinity;

  /** `since` tells that all since then comes, the oldest first. */
  constructor(since = Infinity) {
    this.#from = since;
  }

  /** The document if it is to be shown, with what it replaces. */
  take(raw: Raw): Raw | undefined {
    const { id, createdAt, backlog } = raw;
    if (this.#documents.has(id) || (backlog && createdAt >= this.#from && createdAt <= this.#forgotten)) return undefined;
    if (backlog) this.#oldest = Math.min(this.#oldest, createdAt);
    const name = raw.key === undefined ? undefined : JSON.stringify([raw.owner, raw.author, raw.key]);
    const latest = name === undefined ? undefined : this.#names.get(name);
    const isOld = latest !== undefined && this.#isLater(latest, raw);
    this.#documents.set(id, { createdAt, name, isGone: isOld });
    if (isOld) return undefined;
    if (name !== undefined) this.#names.set(name, id);
    const replaces = [raw.replaces, latest].find((one) => one !== undefined && this.remove(one));
    this.#forget();
    return { ...raw, replaces };
  }

  #isLater(id: string, than: Raw): boolean {
    const { createdAt } = this.#documents.get(id) as Known;
    return createdAt > than.createdAt || (createdAt === than.createdAt && id > than.id);
  }

  /** A document is to be shown no more; whether it was, as far as is remembered. */
  remove(id: string): boolean {
    const known = this.#documents.get(id);
    if (known?.isGone) return false;
    if (known) known.isGone = true;
    return true;
  }

  /** All that was found of before has come. */
  ready(): void {
    this.#from = Math.min(this.#from, this.#oldest);
  }

  /** The oldest, once there are twice as many. */
  #forget(): void {
    if (this.#documents.size < 2 * REMEMBERED) return;
    const all = [...this.#documents].sort(([, a], [, b]) => a.createdAt - b.createdAt);
    for (const [id, { createdAt, name }] of all.slice(0, -REMEMBERED)) {
      this.#documents.delete(id);
      if (name !== undefined && this.#names.get(name) === id) this.#names.delete(name);
      this.#forgotten = Math.max(this.#forgotten, createdAt);
    }
  }
}
