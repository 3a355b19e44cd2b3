// The types as a developer meets them; checked by `tsc`, never run.

import { TaiiNet, type Delivery, type Found, type Page, type Privacy, type Query, type Sort } from "../../dist/index.js";
import { useQuery, useSubscription } from "../../dist/react.js";
import { createQuery } from "../../dist/solid.js";
import { useQuery as useVueQuery } from "../../dist/vue.js";

interface Tweet {
  type: "tweet";
  text: string;
  likes: number;
  tags?: string[];
  place?: { city: string };
}

const taiinet = new TaiiNet({ network: "tweets", signallers: ["ws://127.0.0.1:7700"] });
const sub = taiinet.subscribe<Tweet>({ type: "tweet", likes: { $gt: 4 }, "place.city": "Bern" }, { backlog: true });
sub.on("data", (e) => e.data.text.toUpperCase() + e.author + e.createdAt.toFixed());
sub.on("close", () => {});
taiinet.subscribe({ symptom: "fever" }, { discreet: true });
taiinet.subscribe({}, { private: true }).on("data", ({ privacy }) => ["open", "sealed", "forward-secret"].includes(privacy satisfies Privacy));

export async function read(): Promise<Delivery<Tweet>[]> {
  for await (const { data } of sub) data.likes.toFixed();
  await sub.send({ type: "tweet", text: "hello", likes: 5, big: 1n, bytes: new Uint8Array() });
  const id: string = await taiinet.publish({ a: null, list: [1, [true]] }, { key: "k", expires: "1d" });
  await taiinet.publish({ a: 1 }, { to: "subscribers", public: ["a"], waitMs: 0 });
  await sub.send({ a: 1 }, { to: ["tn1…"] as const });
  return taiinet.find<Tweet>({ $or: [{ text: { $regex: "^h", $options: "i" } }, { _author: "tn1…" }], _id: id }, { limit: 20 });
}

export const good: Query<Tweet>[] = [
  {},
  { tags: "p2p" },
  { tags: { $all: ["a", "b"], $size: 2 } },
  { likes: { $mod: [2, 0], $in: [2, 4, null] } },
  { place: { $exists: false } },
  { $nor: [{ likes: { $not: { $lt: 3 } } }] },
];
export const anything: Query = { whatever: { $gte: 1 }, "a.b.0": null };

// @ts-expect-error no such field
export const field: Query<Tweet> = { lieks: 4 };
// @ts-expect-error not a number
export const type: Query<Tweet> = { likes: "many" };
// @ts-expect-error no such operator
export const operator: Query<Tweet> = { likes: { $gtt: 4 } };
taiinet.subscribe({}, { backlog: { limit: 10 } }).on("ready", ({ complete, more, sources }) => (complete && more) satisfies boolean || sources.toFixed());
sub.on("update", ({ data, replaces }) => data.likes.toFixed() + replaces.length);
sub.on("remove", ({ id, owner, key, reason }) => id + owner + (key ?? "") + (reason satisfies "deleted" | "replaced" | "expired"));
sub.on("data", ({ writers }) => (writers === "anyone" ? writers : writers?.join(" ")));
sub.on("conflict", ({ winner, loser }) => winner.data.likes > loser.data.likes);
sub.on("backlog", ({ expiresAt, replaces, backlog, owner }) => [expiresAt?.toFixed(), replaces?.length, backlog && owner]);
for (const backlog of [true, { last: 10 }, { since: "1d" }, { since: new Date() }, { since: 0 }] as const) taiinet.subscribe({}, { backlog });

export async function look(): Promise<[Found<Tweet>, Page<Tweet>]> {
  const found = await taiinet.find<Tweet>({ type: "tweet" }, { sort: { likes: -1, "place.city": "asc" }, since: "1d", until: new Date(), limit: 5 });
  await taiinet.find<Tweet>({}, { sort: [["likes", "desc"], ["_created_at", 1]], after: found.cursor });
  if (!found.complete) found.cursor?.length;
  found[0]?.data.likes.toFixed();
  await taiinet.delete(found.map(({ id }) => id), { signal: new AbortController().signal });
  await taiinet.delete("id");
  await taiinet.delete({ key: "k" });
  await taiinet.delete({ key: "k", of: "tn1…" });
  await taiinet.publish({ a: 1 }, { key: "k", writers: "anyone", expires: "1d" });
  await taiinet.publish({ a: 1 }, { key: "k", writers: ["tn1…"] as const });
  await sub.send({ a: 1 }, { key: "k", of: "tn1…", to: "subscribers" });
  const page = await sub.next();
  return [found, page.more ? await sub.next(10) : page];
}
export const sorts: Sort[] = [{}, { anything: 1 }, [["a.b", "asc"]]];
// @ts-expect-error no such field
void taiinet.find<Tweet>({}, { sort: { lieks: -1 } });
// @ts-expect-error no such direction
void taiinet.find<Tweet>({}, { sort: { likes: "down" } });
// @ts-expect-error nor so
void taiinet.find<Tweet>({}, { sort: [["likes", 2]] });
// @ts-expect-error a Date, a number or a text
void taiinet.find({}, { since: {} });
// @ts-expect-error a document's name, or its key
void taiinet.delete({ id: "id" });
// @ts-expect-error and nothing of its content
void taiinet.delete({ key: 5 });
// @ts-expect-error under which key
void taiinet.publish({ a: 1 }, { writers: "anyone" });
// @ts-expect-error and so
void taiinet.publish({ a: 1 }, { of: "tn1…" });
// @ts-expect-error only the owner says who writes
void taiinet.publish({ a: 1 }, { key: "k", of: "tn1…", writers: "anyone" });
// @ts-expect-error a list of names
void taiinet.publish({ a: 1 }, { key: "k", writers: "tn1…" });
// @ts-expect-error no such option
taiinet.subscribe({}, { backlogg: true });
// @ts-expect-error the limit has a name
taiinet.subscribe({}, { backlog: 10 });
// @ts-expect-error neither true nor false
taiinet.subscribe({}, { private: "yes" });
// @ts-expect-error neither true nor false
taiinet.subscribe({}, { discreet: "yes" });
// @ts-expect-error it looks for what was before
taiinet.live({}, { discreet: true });
// @ts-expect-error a single peer is a list of one
void taiinet.publish({}, { to: "tn1…" });
// @ts-expect-error no such option
void sub.send({}, { too: "subscribers" });
// @ts-expect-error no such event
taiinet.on("statu", () => {});
// @ts-expect-error functions are no values
void taiinet.publish({ call: () => 1 });
// @ts-expect-error the network is missing
new TaiiNet({ signallers: [] });

export function Wall(): number {
  const { documents, error } = useSubscription<Tweet>({ likes: { $gt: 1 } }, { limit: 10, private: true });
  return documents.length + (documents[0]?.data.likes ?? 0) + (error?.message.length ?? 0);
}

export function Top(): number {
  const { documents, state } = useQuery<Tweet>({ likes: { $gt: 1 } }, { sort: { likes: -1 }, limit: 10 });
  return state === "ready" ? (documents[0]?.data.likes ?? 0) : 0;
}
export async function lists(): Promise<(number | undefined)[]> {
  const live = taiinet.live<Tweet>({ type: "tweet" }, { sort: [["likes", "desc"]], private: true });
  const end = live.subscribe(({ documents, error }) => console.log(documents[0]?.data.text.length, error?.message));
  end();
  for await (const { documents, complete, more } of live) if (complete || more) return documents.map(({ data }) => data.likes);
  const vue = useVueQuery<Tweet>(taiinet, () => ({ likes: 1 }), { limit: 1 });
  const solid = createQuery<Tweet>(taiinet, () => undefined, () => ({ sort: { likes: 1 } }));
  return [live.getSnapshot(), vue.value, solid()].map(({ documents }) => documents[0]?.data.likes);
}
// @ts-expect-error no such field
taiinet.live<Tweet>({}, { sort: { lieks: -1 } });
// @ts-expect-error no such option
taiinet.live({}, { backlog: true });
// @ts-expect-error it never changes
taiinet.live<Tweet>({}).getSnapshot().documents.push();
