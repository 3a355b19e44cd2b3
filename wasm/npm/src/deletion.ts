// What is to be deleted.

import { options as checkOptions, string } from "./arguments.js";
import type { Deletion } from "./engine.js";
import { toKey } from "./key.js";
import { TaiiNetError, wrongType } from "./errors.js";

/** The documents that one deletion can name (taiinet-document, limits::DELETED_DOCUMENTS). */
const AT_ONCE = 256;

/** One deletion, or several of many ids. */
export function toDeletions(what: unknown): Deletion[] {
  if (typeof what === "object" && what !== null && !Array.isArray(what)) {
    const { key, of } = checkOptions<{ key?: unknown; of?: unknown }>(what, ["key", "of"], "what");
    return [{ ...toKey({ key, of }, "what", "argument"), key: string(key, "what.key", "argument") }];
  }
  if (typeof what !== "string" && !Array.isArray(what)) throw wrongType("argument", "what to delete", "an id, a list of ids, or { key, of? }", what);
  const ids = [what].flat().map((id: unknown, index) => {
    const path = Array.isArray(what) ? `ids[${index}]` : "the id";
    if (/^[0-9a-f]{64}$/.test(string(id, path, "argument"))) return id as string;
    throw new TaiiNetError("argument", `${path} must be a document's id of 64 digits, as publish() and deliveries give it, not ${JSON.stringify(id)}`, path);
  });
  if (ids.length === 0) throw new TaiiNetError("argument", "what to delete must be at least one document", "ids");
  const each = [...new Set(ids)];
  const at = Array.from({ length: Math.ceil(each.length / AT_ONCE) }, (_, number) => number * AT_ONCE);
  return at.map((from) => ({ ids: each.slice(from, from + AT_ONCE) }));
}
