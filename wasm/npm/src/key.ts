// Under which key a document stands, and who writes there.

import { list, string } from "./arguments.js";
import type { KeyQuery } from "./engine.js";
import { TaiiNetError, wrongType, type ErrorCode } from "./errors.js";

/** How many peers a document is shared with by name, at most (taiinet-document, limits::WRITERS). */
const WRITERS = 64;

/** Under which key to publish, if under any: one of this peer's, which others may write under as well, or the key of
 *  another's document. */
export type KeyOptions = OwnKey | SharedKey | KeyOf;

interface OwnKey {
  /** The newest document of one owner under one key replaces the older. */
  key?: string | undefined;
  writers?: undefined;
  of?: undefined;
}

interface SharedKey {
  key: string;
  /** Who may write versions of this document beside this peer, until it publishes one that says otherwise: everyone,
   *  or these peers (up to 64 names, `tn1…`). */
  writers: "anyone" | readonly string[];
  of?: undefined;
}

interface KeyOf {
  key: string;
  /** Whose document this is a version of: a peer's name, `tn1…`. It is one if that peer lets this one write, by
   *  `writers`; else it is a document of its own. */
  of: string;
  writers?: undefined;
}

/** What the core is told of it. */
export function toKey({ key, writers, of }: { key?: unknown; writers?: unknown; of?: unknown }, name = "options", code: ErrorCode = "options"): KeyQuery {
  const fault = (path: string, text: string) => new TaiiNetError(code, `${path} ${text}`, path);
  if (key === undefined) {
    const stray = writers !== undefined ? "writers" : of !== undefined ? "of" : undefined;
    if (stray) throw fault(`${name}.${stray}`, `is only for documents under a key; name it in ${name}.key`);
    return {};
  }
  const named = { key: string(key, `${name}.key`, code) };
  if (writers !== undefined && of !== undefined) throw fault(`${name}.writers`, `is for the owner of a document to say; leave it out beside ${name}.of`);
  if (of !== undefined) return { ...named, of: string(of, `${name}.of`, code) };
  if (writers === undefined) return named;
  if (writers === "anyone") return { ...named, writers };
  if (!Array.isArray(writers)) throw wrongType(code, `${name}.writers`, '"anyone" or a list of peer ids', writers);
  const peers = list(writers, `${name}.writers`).map((peer, index) => string(peer, `${name}.writers[${index}]`, code));
  if (peers.length === 0) throw fault(`${name}.writers`, "must name at least one peer; leave it out to write alone");
  if (peers.length > WRITERS) throw fault(`${name}.writers`, `must name at most ${WRITERS} peers, not ${peers.length}`);
  return { ...named, writers: { peers } };
}

/** The key alone of what is published, or deleted. */
export function keyOf({ key, writers, of }: KeyQuery): KeyQuery {
  return { ...(key !== undefined && { key }), ...(writers && { writers }), ...(of !== undefined && { of }) };
}
