// Writes agreed.ndjson: random queries and documents on which two other engines agree.
// See README.md. Usage: node generate.mjs SEED COUNT > rows.ndjson
import { Query } from "mingo";
import sift from "sift";

// mulberry32
let state = Number(process.argv[2] ?? 1) >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);
const pick = (...xs) => xs[below(xs.length)];
const times = (n, f) => Array.from({ length: n }, f);
const chance = (p) => random() < p;

const names = ["a", "b", "c", "tags", "0", "1"];
const name = () => pick("a", "a", "a", "b", "b", "c", "tags", "0", "1");
const path = () => times(pick(1, 1, 1, 2, 2, 3), name).join(".");
const scalar = () =>
  pick(null, true, false, 0, 1, 1, 2, 3, -1, 2.5, 1.5, 10, "", "x", "x", "y", "xy", "Xyz", "1", "é");
function value(depth = 2) {
  const r = random();
  if (depth === 0 || r < 0.6) return scalar();
  if (r < 0.8) return times(below(4), () => value(depth - 1));
  return map(depth - 1);
}
const map = (depth) => Object.fromEntries(times(below(4), () => [name(), value(depth)]));
const document = () => Object.fromEntries(times(1 + below(4), () => [name(), value(3)]));

function operators(depth) {
  const out = {};
  for (let i = pick(1, 1, 1, 2); i > 0; i--) {
    switch (below(depth > 0 ? 22 : 16)) {
      case 0: out.$eq = value(1); break;
      case 1: out.$ne = value(1); break;
      case 2: out.$gt = chance(0.8) ? scalar() : value(1); break;
      case 3: out.$gte = chance(0.8) ? scalar() : value(1); break;
      case 4: out.$lt = chance(0.8) ? scalar() : value(1); break;
      case 5: out.$lte = chance(0.8) ? scalar() : value(1); break;
      case 6: case 7: out.$in = times(below(4), () => value(1)); break;
      case 8: out.$nin = times(below(4), () => value(1)); break;
      case 9: out.$exists = chance(0.5); break;
      case 10: out.$type = pick("string", "number", "bool", "array", "null", "object", "int", "double"); break;
      case 11: out.$regex = pick("x", "^x", "y$", "^x.*z$", "[xy]", "x|1", "^$"); if (chance(0.4)) out.$options = pick("i", "m", "s"); break;
      case 12: out.$size = below(4); break;
      case 13: out.$mod = [pick(2, 3, -2), pick(0, 1, -1)]; break;
      case 14: case 15: out.$all = times(below(3), () => value(1)); break;
      case 16: case 17: out.$not = operators(depth - 1); break;
      case 18: case 19: out.$elemMatch = operators(depth - 1); break;
      case 20: out.$elemMatch = query(depth - 1); break;
      case 21: out.$all = times(1 + below(2), () => ({ $elemMatch: operators(0) })); break;
    }
  }
  return out;
}
function query(depth = 2) {
  const out = {};
  for (let i = pick(1, 1, 1, 2); i > 0; i--) {
    const r = random();
    if (depth > 0 && r < 0.2) out[pick("$and", "$or", "$nor")] = times(1 + below(3), () => query(depth - 1));
    else if (r < 0.45) out[path()] = value(2);
    else out[path()] = operators(depth);
  }
  return out;
}

const attempt = (f) => {
  try {
    return Boolean(f());
  } catch {
    return null;
  }
};
const count = Number(process.argv[3] ?? 4000);
const share = 0.5; // of rows that match
let kept = 0, yes = 0;
const stats = { disagree: 0, threw: 0 };
while (kept < count) {
  const row = { query: query(), document: document() };
  const text = JSON.stringify(row);
  if (text.length > 140) continue;
  const a = attempt(() => new Query(row.query).test(row.document));
  const b = attempt(() => sift(row.query)(row.document));
  if (a === null || b === null) { stats.threw++; continue; }
  if (a !== b) { stats.disagree++; continue; }
  if (a ? yes > share * (kept + 20) : kept - yes > (1 - share) * (kept + 20)) continue;
  kept++;
  if (a) yes++;
  console.log(JSON.stringify({ q: row.query, d: row.document, e: a }));
}
console.error(kept, "rows,", yes, "match;", stats);
