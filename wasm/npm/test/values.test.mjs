// What goes into a document comes out as it was, and what cannot go in is named.

import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./bundle.mjs";

const { encode, decode } = await load("values.ts");

test("values survive the way there and back", () => {
  const values = {
    text: 'quo"te \\ ✓ \u0000',
    numbers: [0, -1, 0.5, 1e300, 5e-324, 2 ** 53, -(2 ** 60), Number.MAX_SAFE_INTEGER],
    large: [2n ** 63n - 1n, -(2n ** 63n)],
    looksLarge: "9223372036854775807 -9223372036854775808",
    bytes: new Uint8Array([0, 1, 254, 255]),
    nested: { none: null, yes: true, list: [[], {}, [{ deep: [1] }]] },
    marks: [{ $bytes: "no base64!" }, { $$bytes: { $bytes: 1 } }, { $bytes: "AAEC", more: 1 }],
  };
  assert.deepEqual(decode(encode(values, "document"), false), values);
  assert.ok(Object.is(decode(encode({ zero: -0 }, "document"), true).zero, -0));
});

test("whole numbers that a float cannot tell apart stay floats", () => {
  assert.equal(encode({ n: 2 ** 60, m: 7, big: 2n ** 60n }, "document"), '{"n":1152921504606847000.0,"m":7,"big":1152921504606846976}');
});

test("what Extended JSON means is left to the core", () => {
  const values = { n: { $numberLong: "5" }, at: { $date: "2025-08-01T00:00:00Z" }, map: { $$date: 1 } };
  assert.equal(encode(values, "document"), JSON.stringify(values));
  assert.deepEqual(decode('{"map":{"$$date":1},"big":9223372036854775807}', false), { map: { $$date: 1 }, big: 2n ** 63n - 1n });
});

test("fields that are undefined are left out, as JSON does", () => {
  assert.equal(encode({ a: undefined, b: 1 }, "document"), '{"b":1}');
  assert.equal(encode({ $bytes: "x", other: undefined }, "document"), '{"$$bytes":"x"}');
});

test("what JSON cannot hold is named by its place", () => {
  const cycle = { inner: { list: [] } };
  cycle.inner.list.push(cycle);
  const deep = {};
  for (let at = deep, n = 0; n < 40; n += 1) at = at.d = {};
  for (const [value, path] of [
    [{ a: [1, { b: NaN }] }, "a[1].b"],
    [{ a: Infinity }, "a"],
    [{ a: { b: () => 1 } }, "a.b"],
    [{ a: Symbol("s") }, "a"],
    [{ a: [undefined] }, "a[0]"],
    [{ a: [1, , 2] }, "a[1]"],
    [{ a: 2n ** 63n }, "a"],
    [{ a: new Map() }, "a"],
    [{ a: new Date(0) }, "a"],
    [cycle, "inner.list[0]"],
  ]) {
    assert.throws(() => encode(value, "document"), (error) => error.code === "document" && error.path === path && error.message.includes(path), path);
  }
  assert.throws(() => encode(deep, "document"), /nested deeper/);
  for (const value of [undefined, null, "{}", 5, [], new Map(), new Date()]) {
    assert.throws(() => encode(value, "query"), (error) => error instanceof TypeError && error.code === "query", String(value));
  }
});

test("undefined in a query is refused by its place: left out, it would match every document", () => {
  for (const [query, path] of [
    [{ type: "chat", room: undefined }, "room"],
    [{ $or: [{ a: 1 }, { b: { $gt: undefined } }] }, "$or[1].b.$gt"],
    [{ a: { $in: [1, undefined] } }, "a.$in[1]"],
    [{ a: { b: undefined } }, "a.b"],
    [{ list: [, 1] }, "list[0]"],
  ]) {
    assert.throws(() => encode(query, "query"), (error) => error instanceof TypeError && error.code === "query" && error.path === path && error.message.startsWith(path), path);
  }
});

test("a lone surrogate is called so, with its place", () => {
  for (const [value, path, unit] of [
    [{ a: "x\ud800" }, "a", "D800"],
    [{ a: ["ok", { b: "\udc00 and more" }] }, "a[1].b", "DC00"],
    [{ a: "\udc00\ud800" }, "a", "DC00"],
    [{ a: { "n\udfff": 1 } }, "a.n\udfff", "DFFF"],
  ]) {
    for (const what of ["document", "query"]) {
      assert.throws(
        () => encode(value, what),
        (error) => error.code === what && error.path === path && error.message.includes(`lone surrogate (U+${unit})`) && error.message.includes(path.replace("\udfff", "\ufffd")),
        path,
      );
    }
  }
  assert.equal(encode({ pair: "\ud83d\ude00" }, "document"), '{"pair":"\ud83d\ude00"}');
});

test("the same object may stand in two places", () => {
  const shared = { x: 1 };
  assert.equal(encode({ a: shared, b: shared }, "document"), '{"a":{"x":1},"b":{"x":1}}');
});
