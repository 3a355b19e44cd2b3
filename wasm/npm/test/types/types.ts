// The types as a developer meets them; checked by `tsc`, never run.

import { TaiiNet, type Delivery, type Privacy, type Query } from "../../dist/index.js";
import { useSubscription } from "../../dist/react.js";

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
taiinet.subscribe({}, { backlog: { limit: 10 } }).on("ready", ({ complete }) => complete satisfies boolean);
// @ts-expect-error no such option
taiinet.subscribe({}, { backlogg: true });
// @ts-expect-error the limit has a name
taiinet.subscribe({}, { backlog: 10 });
// @ts-expect-error neither true nor false
taiinet.subscribe({}, { private: "yes" });
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
