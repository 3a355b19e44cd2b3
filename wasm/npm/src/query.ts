// The query language as types: MongoDB's operators, and `$contains`. What a type cannot say, the core
// checks; see "Queries" in the README.

import type { Fields, Value } from "./values.js";

/** The names of types that `$type` knows. */
export type TypeName = "double" | "string" | "object" | "array" | "binData" | "bool" | "null" | "int" | "long" | "number";

/** What a field is tested for, beside equality. */
export interface Condition<V = Value> {
  $eq?: V | null;
  $ne?: V | null;
  $gt?: V;
  $gte?: V | null;
  $lt?: V;
  $lte?: V | null;
  $in?: readonly (V | Element<V> | null)[];
  $nin?: readonly (V | Element<V> | null)[];
  $not?: Condition<V>;
  $exists?: boolean;
  $type?: TypeName | readonly TypeName[];
  $regex?: string;
  /** Letters of `i`, `m`, `s`, `x`; with `$regex`. */
  $options?: string;
  $all?: readonly (Element<V> | V)[];
  $elemMatch?: Condition<Element<V>> | Query<Element<V> extends object ? Element<V> : Fields>;
  $size?: number;
  /** Divisor and remainder. */
  $mod?: readonly [number, number];
  /** A substring of a string, an element of a list; of a list, all of them. */
  $contains?: Element<V> | V | readonly (Element<V> | V)[];
}

type Element<V> = V extends readonly (infer E)[] ? E : V;

/** Tests of one field. A list matches if one of its elements does. */
export type Test<V> = V | Element<V> | Condition<V> | null;

/** Fields that every document has. */
export interface Reserved {
  _id?: Test<string>;
  _author?: Test<string>;
  /** The peer whose document it is a version of: mostly its author. */
  _owner?: Test<string>;
  _key?: Test<string>;
  /** Milliseconds since 1970. */
  _created_at?: Test<number>;
}

/** What documents are asked for. Without a type of document any field may be named; with one, its
 *  fields, and dotted paths into them. */
export type Query<T extends object = Fields> = Reserved & {
  $and?: readonly Query<T>[];
  $or?: readonly Query<T>[];
  $nor?: readonly Query<T>[];
} & { [K in keyof T & string]?: Test<Exclude<T[K], undefined>> } & { [path: `${string}.${string}`]: Test<Value> };
