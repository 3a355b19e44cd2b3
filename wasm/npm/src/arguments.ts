// Arguments as callers give them: checked up front, each fault with the name of its field.

import { TaiiNetError, didYouMean, wrongType, type ErrorCode } from "./errors.js";

/** An object with no other fields than these; `undefined` is an empty one. */
export function options<T extends object>(value: unknown, known: readonly (keyof T & string)[], name = "options"): T {
  if (value === undefined) return {} as T;
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrongType("options", name, "an object", value);
  for (const field of Object.keys(value)) {
    if (!(known as readonly string[]).includes(field)) {
      throw wrongField(name, field, known);
    }
  }
  return value as T;
}

function wrongField(name: string, field: string, known: readonly string[]): TaiiNetError {
  const error = wrongType("options", `${name}.${field}`, "", undefined);
  error.message = `${name} has no field \`${field}\`${didYouMean(field, known)}`;
  return error;
}

export function string(value: unknown, path: string, code: ErrorCode = "options"): string {
  if (typeof value !== "string") throw wrongType(code, path, "a string", value);
  return text(value, path, code);
}

/** A string that is Unicode text, as all that goes to other peers must be. */
export function text(value: string, path: string, code: ErrorCode, what = path): string {
  const [surrogate] = /\p{Cs}/u.exec(value) ?? [];
  if (surrogate === undefined) return value;
  const unit = surrogate.charCodeAt(0).toString(16).toUpperCase();
  const shown = what.replace(/\p{Cs}/gu, "\u{FFFD}");
  throw new TaiiNetError(code, `${shown} has a lone surrogate (U+${unit}), which is half a character and no Unicode text; mend it by text.toWellFormed()`, path);
}

export function boolean(value: unknown, path: string): boolean {
  if (typeof value !== "boolean") throw wrongType("options", path, "true or false", value);
  return value;
}

export function integer(value: unknown, path: string, least: number, most: number, code: ErrorCode = "options"): number {
  if (typeof value !== "number") throw wrongType(code, path, "a number", value);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new TaiiNetError(code, `${path} must be a whole number from ${least} to ${most}, not ${value}`, path);
  }
  return value;
}

export function list(value: unknown, path: string): unknown[] {
  if (!Array.isArray(value)) throw wrongType("options", path, "a list", value);
  return value;
}

export function listener(value: unknown): void {
  if (typeof value !== "function") throw wrongType("argument", "the listener", "a function", value);
}

/**
 * Addresses of signallers: one, or several with commas between them, as an environment's variable may hold them.
 * Spaces and line ends around each do not count, nor does the case of `ws` and `wss`.
 */
export function signallers(value: unknown, path: string): string[] {
  const texts = string(value, path).split(/,(?=\s*(?:wss?:\/\/|$))/i);
  const addresses = texts.map((text) => text.trim()).filter((text) => text !== "");
  return (addresses.length ? addresses : [""]).map((address) => signaller(address, path));
}

/** The address of a signaller, `ws://…` or `wss://…`, perhaps with its key behind a `#`. */
function signaller(address: string, path: string): string {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw new TaiiNetError("options", `${path} must be an address like wss://signaller.example, not ${JSON.stringify(address)}`, path);
  }
  if (url.protocol !== "ws:" && url.protocol !== "wss:") {
    throw new TaiiNetError("options", `${path} must begin with ws:// or wss://, not ${url.protocol}//`, path);
  }
  if (url.username || url.password) throw new TaiiNetError("options", `${path} must not hold a user name or password`, path);
  return address.replace(/^wss?:/i, (scheme) => scheme.toLowerCase());
}

/** Dates end there (ECMA-262, 21.4.1.1). */
export const LAST_DATE = 8.64e15;

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** A length of time: milliseconds, or a text like `"30s"`, `"5min"`, `"2h"`, `"1d"`. */
export function duration(value: unknown, path: string): number {
  if (typeof value === "number" && value > 0 && Number.isFinite(value)) return value;
  const [, number, unit] = (typeof value === "string" && /^(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)$/.exec(value.trim())) || [];
  if (number !== undefined && unit !== undefined && Number(number) > 0) return Number(number) * (UNITS[unit] as number);
  throw new TaiiNetError("options", `${path} must be milliseconds or a time like "30s", "5min", "2h" or "1d", not ${JSON.stringify(value)}`, path);
}

/** A moment, in milliseconds since 1970: so given, or as a Date, or as a time ago like `"1d"`. */
export function time(value: unknown, path: string): number {
  if (typeof value === "string") return Math.max(0, Math.round(Date.now() - duration(value, path)));
  const at = value instanceof Date ? value.getTime() : value;
  if (typeof at === "number" && at >= 0 && at <= LAST_DATE) return Math.round(at);
  throw new TaiiNetError("options", `${path} must be a Date, milliseconds since 1970 or a time ago like "1d", not ${value instanceof Date ? "a Date without a time" : JSON.stringify(value)}`, path);
}

export function signal(value: unknown, path: string): void {
  if (value !== undefined && !(value instanceof AbortSignal)) throw wrongType("options", path, "an AbortSignal", value);
}
