// Of one author's documents under one key the newest counts.

import type { Raw } from "./engine.js";

/** The newest first, without those that another of them replaces: one neighbour may not have heard yet of what
 *  another has. */
export function newest(documents: Raw[]): Raw[] {
  const versions = new Set<string>();
  const later = (a: Raw, b: Raw) => b.createdAt - a.createdAt || (b.id > a.id ? 1 : -1);
  return documents.sort(later).filter(({ author, key }) => {
    if (key === undefined) return true;
    const name = JSON.stringify([author, key]);
    return !versions.has(name) && versions.add(name);
  });
}
