// How documents are looked for.

import { duration, integer, options as checkOptions, string, time } from "./arguments.js";
import type { Delivery } from "./delivery.js";
import type { FindQuery } from "./engine.js";
import { TaiiNetError, wrongType } from "./errors.js";
import type { Reserved } from "./query.js";
import type { Fields } from "./values.js";

/** The least first (1, `"asc"`), or the greatest (-1, `"desc"`). */
export type Direction = 1 | -1 | "asc" | "desc";

type SortField<T> = (keyof T & string) | (keyof Reserved & string) | `${string}.${string}`;

/**
 * In which order documents are wanted: by up to eight fields, the first one first, as MongoDB sorts. Of an object its
 * fields count in the order in which they stand; those whose names are whole numbers JavaScript puts first, so give a
 * list of pairs for them. Documents that are alike in all of them are sorted by time.
 */
export type Sort<T extends object = Fields> = { readonly [K in SortField<T>]?: Direction } | readonly (readonly [SortField<T>, Direction])[];

export interface FindOptions<T extends object = Fields> {
  /** How many documents at most, up to 1000; default 100. */
  limit?: number;
  /** In which order; default the newest first. */
  sort?: Sort<T>;
  /** Only what was published then or later, or before then: a Date, milliseconds since 1970, or a time ago like `"1d"`. */
  since?: Date | number | string;
  until?: Date | number | string;
  /** Goes on from where another search with the same query and `sort` ended: its `cursor`. */
  after?: string | undefined;
  /** How long to wait for a first neighbour, if there is none, and for answers; in milliseconds or like
   *  `"2s"`, an hour at most. Default 5 s. Neighbours are given 4 s of it; one that has not answered by then
   *  has nothing. */
  timeout?: number | string;
}

/** What was found, in the order that was asked for. */
export interface Found<T = Fields> extends Array<Delivery<T>> {
  /** Whether that is all that matches, as far as the neighbours that were asked can tell. */
  complete: boolean;
  /** From where another search can go on, as its `after`; undefined if there is no more to be had. */
  cursor?: string;
}

const OPTIONS = ["limit", "sort", "since", "until", "after", "timeout"] as const;
const LIMIT = 1000;
const LONGEST_MS = 3_600_000;
const DIRECTIONS = new Map<unknown, "asc" | "desc">([[1, "asc"], ["asc", "asc"], [-1, "desc"], ["desc", "desc"]]);

/** @internal */
export function checkFindOptions(options: unknown): FindQuery {
  const { limit = 100, sort, since, until, after, timeout = 5000 } = checkOptions<FindOptions>(options, OPTIONS);
  integer(limit, "options.limit", 1, LIMIT);
  const timeoutMs = Math.ceil(duration(timeout, "options.timeout"));
  if (timeoutMs > LONGEST_MS) throw new TaiiNetError("options", "options.timeout must be an hour at most", "options.timeout");
  return {
    limit,
    timeoutMs,
    ...(sort !== undefined && { sort: sorting(sort) }),
    ...(since !== undefined && { since: time(since, "options.since") }),
    ...(until !== undefined && { until: time(until, "options.until") }),
    ...(after !== undefined && { after: string(after, "options.after") }),
  };
}

/** @internal */
export function sorting(sort: unknown): [field: string, towards: "asc" | "desc"][] {
  if (typeof sort !== "object" || sort === null) throw wrongType("options", "options.sort", "an object like { likes: -1 }, or a list of pairs", sort);
  const isList = Array.isArray(sort);
  return (isList ? sort : Object.entries(sort)).map((pair: unknown, index) => {
    const place = `options.sort[${index}]`;
    if (!Array.isArray(pair) || pair.length !== 2) throw wrongType("options", place, 'a pair like ["likes", "desc"]', pair);
    const [field, direction] = pair as [unknown, unknown];
    const towards = DIRECTIONS.get(direction);
    const path = isList ? `${place}[1]` : `options.sort.${String(field)}`;
    if (towards === undefined) throw wrongType("options", path, '1, -1, "asc" or "desc"', direction);
    return [string(field, `${place}[0]`), towards];
  });
}
