/** What kind of thing went wrong, for programs. */
export type ErrorCode =
  | "argument"
  | "options"
  | "query"
  | "document"
  | "identity"
  | "recipients"
  | "busy"
  | "lost"
  | "unconfirmed"
  | "closed"
  | "failed";

/** Marks both classes of errors below. */
const OURS = Symbol("TaiiNetError");

/** Every error of this package. Its message says what is wrong and what to do. */
export class TaiiNetError extends Error {
  readonly code: ErrorCode;
  /** Where in the argument: `$or[0].likes.$gtt`, `options.signallers[1]`. */
  readonly path: string | undefined;
  /** What to do, where the error is of the page and its server; it is the end of the message as well. */
  readonly advice: string | undefined;
  readonly [OURS] = true;

  constructor(code: ErrorCode, message: string, path?: string, advice?: string) {
    super(advice ? `${message}; ${advice}` : message);
    this.name = "TaiiNetError";
    this.code = code;
    this.path = path;
    this.advice = advice;
  }

  /** What is wrong, without the advice. @internal */
  get problem(): string {
    return this.advice ? this.message.slice(0, -`; ${this.advice}`.length) : this.message;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && OURS in value;
  }
}

/** An argument of the wrong type: a `TypeError` and a {@link TaiiNetError} at once. */
class ArgumentError extends TypeError {
  readonly [OURS] = true;
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly path?: string,
    readonly advice?: string,
  ) {
    super(message);
    this.name = "TaiiNetError";
  }
}

/** `path` must be `expected`, but is `value`. */
export function wrongType(code: ErrorCode, path: string, expected: string, value: unknown): TaiiNetError {
  return new ArgumentError(code, `${path} must be ${expected}, not ${describe(value)}`, path) as TaiiNetError;
}

/** Of a discreet subscription with what tells others its query. */
export function indiscreet(what: string): TaiiNetError {
  return new TaiiNetError("options", `options.discreet does not go with ${what}`, "options.discreet");
}

export function closed(): TaiiNetError {
  return new TaiiNetError("closed", "this TaiiNet is closed; make a new one");
}

/** What the core throws (see wasm/src/fault.rs), or anything else, as an error of ours. */
export function fromCore(thrown: unknown): TaiiNetError {
  if (thrown instanceof TaiiNetError) return thrown;
  if (typeof thrown === "string") {
    try {
      const { code, message, path } = JSON.parse(thrown) as { code: ErrorCode | "seed"; message: string; path?: string };
      return new TaiiNetError(code === "seed" ? "identity" : code, message, path);
    } catch {
      // Not ours: told as it is.
    }
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new TaiiNetError("failed", `the peer has failed: ${message}; make a new TaiiNet, or reload the page`);
}

/** An error as it goes from tab to tab. */
export interface PlainError {
  code: ErrorCode;
  message: string;
  path?: string | undefined;
}

export function toPlain(error: unknown): PlainError {
  const { code, message, path } = fromCore(error);
  return { code, message, path };
}

export function fromPlain({ code, message, path }: PlainError): TaiiNetError {
  return new TaiiNetError(code, message, path);
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return value.length < 40 ? JSON.stringify(value) : "a string";
  if (typeof value === "object") {
    const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
    return typeof name === "string" && name !== "Object" ? `a ${name}` : "an object";
  }
  return value === undefined ? "undefined" : `a ${typeof value}`;
}

/** The name that was perhaps meant. */
export function didYouMean(name: string, known: readonly string[]): string {
  const near = known.find((one) => distance(name.toLowerCase(), one.toLowerCase()) <= 2);
  return near ? `; did you mean \`${near}\`?` : `; there are ${known.join(", ")}`;
}

/** How many letters must be changed, added or left out (Levenshtein). */
function distance(a: string, b: string): number {
  let row = [...Array(b.length + 1).keys()];
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] as number) + Number(a[i - 1] !== b[j - 1]);
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, change));
    }
    row = next;
  }
  return row[b.length] as number;
}
