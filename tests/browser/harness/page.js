// Runs in the page: a peer, and all that it told. `inPage` is what the tests talk to.

import * as taiinet from "/taiinet/index.js";

/** What an event or delivery says, as JSON can hold it. */
const plain = (value) =>
  JSON.parse(
    JSON.stringify(value, (_, one) => {
      if (one instanceof Error) return { name: one.name, message: one.message, ...one };
      if (typeof one === "bigint") return { bigint: String(one) };
      if (one instanceof Uint8Array) return { bytes: [...one] };
      return one;
    }) ?? "null",
  );

const EVENTS = ["status", "peer-connected", "peer-disconnected", "warning", "error", "rejected", "blacklisted"];

class Subscriber {
  deliveries = [];
  /** What becomes of them. */
  changes = [];
  errors = [];
  closed = false;

  constructor(subscription) {
    this.subscription = subscription;
    for (const type of ["data", "backlog"]) {
      subscription.on(type, (event) => this.deliveries.push({ ...plain(event), type }));
    }
    for (const type of ["update", "remove", "conflict"]) subscription.on(type, (event) => this.changes.push({ ...plain(event), type }));
    subscription.on("ready", (event) => (this.ready = plain(event)));
    subscription.on("error", (error) => this.errors.push(plain(error)));
    subscription.on("close", () => (this.closed = true));
  }
}

/** Reads by `for await`, only while it may: so a test decides how slow it is. */
class Reader {
  /** How many, which numbers were missing, and how many came again. */
  count = 0;
  seen = new Set();
  again = 0;
  allowed = 0;
  #wake = () => {};

  constructor(subscription) {
    this.#read(subscription);
  }

  allow(count) {
    this.allowed = count ?? Infinity;
    this.#wake();
  }

  async #read(subscription) {
    const iterator = subscription[Symbol.asyncIterator]();
    for (;;) {
      while (this.count >= this.allowed) await new Promise((wake) => (this.#wake = wake));
      const { value, done } = await iterator.next();
      if (done) return;
      this.count += 1;
      this.last = performance.now();
      this.first ??= this.last;
      if (this.seen.has(value.data.n)) this.again += 1;
      this.seen.add(value.data.n);
    }
  }
}

globalThis.inPage = {
  taiinet,
  /** @type {any} */
  peer: undefined,
  events: [],
  subscribers: {},
  readers: {},
  /** What each live result set shows, and all that it has shown before: the numbers of its documents. */
  lives: {},
  shown: {},

  async start(options) {
    const peer = new taiinet.TaiiNet(options);
    this.peer = peer;
    for (const type of EVENTS) {
      peer.on(type, (event) => this.events.push({ ...plain(event), event: type, at: Date.now() }));
    }
    await peer.ready;
    return peer.identity.peerId;
  },

  subscribe(name, query, options) {
    this.subscribers[name] = new Subscriber(this.peer.subscribe(query, options));
  },

  live(name, query, options) {
    this.shown[name] = [];
    this.peer.live(query, options).subscribe((snapshot) => {
      this.lives[name] = plain(snapshot);
      this.shown[name].push(snapshot.documents.map(({ data }) => data.n).join());
    });
  },

  read(name, query, allowed) {
    this.readers[name] = new Reader(this.peer.subscribe(query));
    this.readers[name].allow(allowed ?? undefined);
  },

  /** What was thrown by this code, as `{ name, message, … }`; null if nothing was. */
  async thrown(code) {
    try {
      await new Function("peer", "TaiiNet", `return (async () => { ${code} })()`)(this.peer, taiinet.TaiiNet);
      return null;
    } catch (error) {
      return {
        name: error?.name,
        message: String(error?.message ?? error),
        code: error?.code,
        path: error?.path,
        field: error?.field,
        isTypeError: error instanceof TypeError,
        isTaiiNetError: taiinet.TaiiNetError ? error instanceof taiinet.TaiiNetError : undefined,
      };
    }
  },
};
