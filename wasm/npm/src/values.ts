// Values of JavaScript as the JSON of documents, and back (crates/document/src/json.rs).
//
// Bytes are `{"$bytes": base64}`; a map whose single name would look like that mark gets one more `$`.
// Integers have 64 bits: those that a number cannot hold exactly are bigint. The names of MongoDB's
// Extended JSON mean in an object what they mean in JSON, and the core decides: `{$numberLong: "5"}` is a
// number, `{$date: …}` is refused, `{$$date: …}` is a map with the name `$date`.

import { text } from "./arguments.js";
import { TaiiNetError, wrongType, type ErrorCode } from "./errors.js";

/** What a document may hold. */
export type Value = null | boolean | number | bigint | string | Uint8Array | readonly Value[] | { readonly [name: string]: Value | undefined };

/** A document's content: fields with values. */
export type Fields = { readonly [name: string]: Value | undefined };

/** A value of type `V`, if a document can hold it: otherwise a text that says why not, which the compiler
 *  shows. Fields may be undefined, and are left out then; elements of lists may not. */
export type Publishable<V> = 0 extends 1 & V
  ? V // any
  : V extends null | boolean | number | bigint | string | Uint8Array
    ? V
    : V extends (...args: never[]) => unknown
      ? "a function cannot be published"
      : V extends Date
        ? "a Date cannot be published: give date.getTime() or date.toISOString()"
        : V extends ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>
          ? "a Map or Set cannot be published: give Object.fromEntries(map) or [...set]"
          : V extends readonly unknown[]
            ? { [I in keyof V]: Publishable<V[I]> }
            : V extends object
              ? { [K in keyof V]: Publishable<Exclude<V[K], undefined>> | Extract<V[K], undefined> }
              : "this cannot be published: it is no value of JSON, bigint or Uint8Array";

/** A document's content of type `T`, any interface or type of an object that can be published. */
export type Content<T extends object> = T extends readonly unknown[] | Uint8Array ? "a document is an object with fields" : Publishable<T>;

/** Deeper nesting is refused by every peer. */
const DEPTH = 32;
const MARK = /^\$+bytes$/;

/** The JSON text of an object's fields. `what` names the argument in errors. */
export function encode(value: unknown, what: "document" | "query"): string {
  if (!isPlain(value)) throw wrongType(what, `the ${what}`, "an object", value);
  return map(value, { code: what, above: new Set(), path: "" });
}

interface Place {
  code: ErrorCode;
  /** The objects that this one stands in. */
  above: Set<object>;
  path: string;
}

function map(value: Record<string, unknown>, place: Place): string {
  return within(value, place, () => {
    const pathOf = (name: string) => (place.path ? `${place.path}.${name}` : name);
    const names = Object.keys(value).filter((name) => {
      if (value[name] !== undefined) return true;
      // Left out of a document, as JSON does. Left out of a query it would match everything.
      if (place.code === "query") throw wrongType("query", pathOf(name), "a value (leave the field out to match whatever it is, or give null to match where it is missing)", undefined);
      return false;
    });
    const escape = names.length === 1 && MARK.test(names[0] as string) ? "$" : "";
    const fields = names.map((name) => {
      const path = pathOf(name);
      text(name, path, place.code, `the field name ${path}`);
      return `${JSON.stringify(escape + name)}:${encoded(value[name], { ...place, path })}`;
    });
    return `{${fields.join(",")}}`;
  });
}

function encoded(value: unknown, place: Place): string {
  const fault = (expected: string) => wrongType(place.code, place.path, expected, value);
  switch (typeof value) {
    case "string":
      return JSON.stringify(text(value, place.path, place.code));
    case "boolean":
      return JSON.stringify(value);
    case "number":
      if (!Number.isFinite(value)) throw fault("a finite number");
      if (Object.is(value, -0)) return "-0.0";
      // A whole number beyond the exact ones is a float, not an integer that happens to be near.
      return Number.isInteger(value) && !Number.isSafeInteger(value) ? float(value) : JSON.stringify(value);
    case "bigint":
      if (BigInt.asIntN(64, value) !== value) throw new TaiiNetError(place.code, `${place.path} must fit 64 bits, and ${value} does not`, place.path);
      return String(value);
    case "object":
      break;
    default:
      throw fault("a value that JSON knows, a bigint or a Uint8Array");
  }
  if (value === null) return "null";
  if (value instanceof Uint8Array) return `{"$bytes":"${base64(value)}"}`;
  if (Array.isArray(value)) {
    // `from`, since `map` leaves out holes.
    const items = () => Array.from(value, (item, index) => encoded(item, { ...place, path: `${place.path}[${index}]` }));
    return within(value, place, () => `[${items().join(",")}]`);
  }
  if (value instanceof Date) throw fault("a string or number, like date.toISOString() or date.getTime()");
  if (!isPlain(value)) throw fault("a plain object");
  return map(value, place);
}

function float(value: number): string {
  const digits = JSON.stringify(value);
  return /[.e]/.test(digits) ? digits : `${digits}.0`;
}

function within<T>(value: object, place: Place, encode: () => T): T {
  if (place.above.has(value)) throw new TaiiNetError(place.code, `${place.path} is a cycle: it holds itself`, place.path);
  if (place.above.size > DEPTH) throw new TaiiNetError(place.code, `${place.path} is nested deeper than ${DEPTH} levels`, place.path);
  place.above.add(value);
  const json = encode();
  place.above.delete(value);
  return json;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Of whatever realm: an object of another frame is as plain.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function base64(bytes: Uint8Array): string {
  let letters = "";
  for (let at = 0; at < bytes.length; at += 0x8000) letters += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(letters);
}

/** A document's content from its JSON; `exact` says that `JSON.parse` alone will do. */
export function decode(json: string, exact: boolean): Fields {
  if (exact) return JSON.parse(json) as Fields;
  const marked = json.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?![\d.eE+-])/g, (token) => {
    return token.startsWith('"') || Number.isSafeInteger(Number(token)) ? token : `"${LARGE}${token}"`;
  });
  return restored(JSON.parse(marked)) as Fields;
}

/** Marks large integers on their way through `JSON.parse`; no author can know it. */
const LARGE = `${Math.random()}${Math.random()}:`;

function restored(value: unknown): Value {
  if (Array.isArray(value)) return value.map(restored);
  if (typeof value === "string" && value.startsWith(LARGE)) return BigInt(value.slice(LARGE.length));
  if (typeof value !== "object" || value === null) return value as Value;
  const entries = Object.entries(value as Record<string, unknown>);
  const [[name, inner] = ["", null]] = entries;
  if (entries.length === 1) {
    if (name === "$bytes") return Uint8Array.from(atob(inner as string), (letter) => letter.charCodeAt(0));
    if (MARK.test(name)) return { [name.slice(1)]: restored(inner) };
  }
  return Object.fromEntries(entries.map(([key, item]) => [key, restored(item)]));
}
