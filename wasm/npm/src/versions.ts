// Of one author's documents under one key the newest counts.

import type { Raw } from "./engine.js";

const isLater = (a: Raw, b: Raw): boolean => a.createdAt > b.createdAt || (a.createdAt === b.createdAt && a.id > b.id);

const nameOf = ({ author, key }: Raw): string => JSON.stringify([author, key]);

/** The newest that was seen under each author's keys. */
export class Versions {
  #newest = new Map<string, Raw>();

  /** Whether a newer one was seen. */
  hasNewer(raw: Raw): boolean {
    const newest = raw.key === undefined ? undefined : this.#newest.get(nameOf(raw));
    return newest !== undefined && isLater(newest, raw);
  }

  /** Whether none newer was seen under its key, if it has one; then it is the newest. */
  isNewest(raw: Raw): boolean {
    if (raw.key === undefined) return true;
    if (this.hasNewer(raw)) return false;
    this.#newest.set(nameOf(raw), { ...raw, json: "" });
    return true;
  }
}

/** The newest first, without those that another of them replaces: one neighbour may not have heard yet of what
 *  another has. */
export function newest(documents: Raw[]): Raw[] {
  const versions = new Versions();
  return documents.sort((a, b) => (isLater(a, b) ? -1 : 1)).filter((raw) => versions.isNewest(raw));
}
