// What `publish` takes: any interface whose values a document can hold. Checked by `tsc`, never run.

import { TaiiNet, type Delivery, type Publishable } from "../../dist/index.js";
import { useSubscription } from "../../dist/react.js";

interface Place {
  city: string;
  at: readonly [number, number];
  within?: Place;
}
interface Tweet {
  type: "tweet";
  text: string;
  likes: number;
  place?: Place;
  tags: string[];
  replies: readonly Tweet[];
  picture: Uint8Array | null;
  id: bigint;
}
type Either = { kind: "a"; a: number } | { kind: "b"; b: string };
enum Level {
  Low,
  High,
}
class Plain {
  x = 1;
}

declare const taiinet: TaiiNet;
declare const tweet: Tweet;
declare const either: Either;
const sub = taiinet.subscribe<Tweet>({ type: "tweet", likes: { $gt: 4 }, tags: "p2p", "place.city": "Bern" }, { backlog: true });

export async function good(room: string | undefined, anything: any, names: Record<string, number>): Promise<void> {
  await taiinet.publish(tweet, { key: "k" });
  await taiinet.publish<Tweet>({ type: "tweet", text: "", likes: 1, tags: [], replies: [tweet], picture: null, id: 1n });
  await taiinet.publish(tweet, { until: "network" });
  await taiinet.publish(either);
  await taiinet.publish(names);
  await taiinet.publish(anything);
  await taiinet.publish(new Plain()); // As an interface; only at run time it is seen to be none.
  await taiinet.publish({ level: Level.High, list: [1, "a", null, { deep: [true] }], as: { const: [1] } as const });
  // A field that is undefined is left out, as JSON.stringify does.
  await taiinet.publish({ room, inner: { room } });
  await sub.send(tweet);
  await sub.send({ quite: "another" });
  const found: Delivery<Tweet>[] = await taiinet.find<Tweet>({ type: "tweet", place: { $exists: true } });
  for (const { data } of found) await taiinet.publish(data);
  for await (const { data } of sub) await taiinet.publish({ ...data, likes: data.likes + 1 });
}

/** In functions of any type. */
export const passOn = <T extends object>(document: T & Publishable<T>): T => document;
export const passed: Tweet = passOn(tweet);

export function Wall(): number {
  const { documents } = useSubscription<Tweet>({ type: "tweet", likes: { $gt: 1 } });
  void taiinet.publish(documents[0]!.data);
  return documents.length;
}

interface WithDate {
  type: "event";
  at: Date;
}
interface Deep {
  list: { inner?: { call(): void } }[];
}
declare const withDate: WithDate;
declare const deep: Deep;
declare const unknown: { value: unknown };
class Account {
  balance = 1;
  pay(): void {}
}

export function bad(room: string | undefined): void {
  // @ts-expect-error a Date, by an interface
  void taiinet.publish(withDate);
  // @ts-expect-error and in a literal
  void taiinet.publish({ at: new Date() });
  // @ts-expect-error an optional method in an object in a list
  void taiinet.publish(deep);
  // @ts-expect-error a function
  void taiinet.publish({ call: () => 1 });
  // @ts-expect-error in a list
  void taiinet.publish({ list: [() => 1] });
  // @ts-expect-error a symbol
  void taiinet.publish({ symbol: Symbol("s") });
  // @ts-expect-error a Map
  void taiinet.publish({ map: new Map([["a", 1]]) });
  // @ts-expect-error a Set
  void taiinet.publish({ inner: { set: new Set([1]) } });
  // @ts-expect-error an instance with methods
  void taiinet.publish(new Account());
  // @ts-expect-error and as a field
  void taiinet.publish({ account: new Account() });
  // @ts-expect-error a promise that was not awaited
  void taiinet.publish({ text: Promise.resolve("late") });
  // @ts-expect-error a regular expression
  void taiinet.publish({ pattern: /x/ });
  // @ts-expect-error another array of numbers than Uint8Array
  void taiinet.publish({ samples: new Float32Array(2) });
  // @ts-expect-error one of two that it may be
  void taiinet.publish({ when: Math.random() > 0.5 ? new Date() : "now" });
  // @ts-expect-error someone else than a neighbour or the network
  void taiinet.publish({}, { until: "everyone" });
  // @ts-expect-error an element that is undefined
  void taiinet.publish({ rooms: [room] });
  // @ts-expect-error who knows what it is
  void taiinet.publish(unknown);
  // @ts-expect-error a list is no document
  void taiinet.publish([1]);
  // @ts-expect-error nor are bytes
  void taiinet.publish(new Uint8Array());
  // @ts-expect-error nor a text
  void taiinet.publish("text");
  // @ts-expect-error nor a function
  void taiinet.publish(() => 1);
  // @ts-expect-error nor a Date
  void taiinet.publish(new Date());
  // @ts-expect-error on a subscription alike
  void sub.send(withDate);
  // @ts-expect-error a field of the type is missing
  void taiinet.publish<Tweet>({ type: "tweet" });
}
