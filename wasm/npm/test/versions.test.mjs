// Of one author's documents under one key the newest counts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./bundle.mjs";

const { Versions, newest } = await load("versions.ts");

const raw = (id, createdAt, key, author = "tn1a") => ({ id, createdAt, key, author, json: "{}" });
const ids = (documents) => documents.map(({ id }) => id).join(" ");

test("searches give the newest of each key, and all that have none, the newest first", () => {
  const found = [raw("a", 1, "k"), raw("b", 3), raw("c", 2, "k"), raw("d", 2, "k", "tn1b"), raw("e", 2, "other"), raw("f", 1)];
  assert.equal(ids(newest(found)), "b e d c f");
});

test("an older version is told from a newer one, in whatever order they come", () => {
  const versions = new Versions();
  assert.ok(versions.isNewest(raw("b", 2, "k")));
  assert.ok(!versions.isNewest(raw("a", 1, "k")) && versions.hasNewer(raw("a", 1, "k")));
  assert.ok(!versions.isNewest(raw("a", 2, "k")), "of one moment by the id");
  assert.ok(versions.isNewest(raw("c", 2, "k")) && !versions.hasNewer(raw("c", 2, "k")));
  assert.ok(!versions.hasNewer(raw("x", 1)) && !versions.hasNewer(raw("x", 1, "k", "tn1b")));
});
