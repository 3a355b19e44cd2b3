// A stand-in for the WebAssembly module: it delivers what is published to all subscriptions, and a
// test sees all that was asked of it.

/** All peers that were started, also the closed ones. */
export const cores = (globalThis.fakeCores ??= []);
/** All modules that were loaded. */
export const instances = (globalThis.fakeInstances ??= []);

const CLOSED = JSON.stringify({ code: "closed", message: "the peer is closed" });

/** As the generated module has it: bindings of their own each time. */
export default function instance() {
  instances.push(Object.assign(async () => {}, { Core: class extends Core {}, checkQuery }));
  return instances.at(-1);
}

function checkQuery(query) {
  if (query.includes("$gtt")) throw JSON.stringify({ code: "query", message: "a.$gtt: there is no operator `$gtt`", path: "a.$gtt" });
}

/** What is known of a document, as the module says it. */
const about = (id, more) => JSON.stringify({ id, author: "tn1author", createdAt: 1, hops: 0, exact: true, privacy: "open", cost: 0, ...more });

class Core {
  subscriptions = new Set();
  /** What live result sets there are, by number. */
  lives = new Map();
  /** The options of all subscriptions so far. */
  subscribed = [];
  published = [];
  /** The options of all searches so far; how many go on, and did at most. */
  asked = [];
  /** The deletions. */
  deleted = [];
  /** The subscriptions whose readers are behind. */
  held = new Set();
  /** What was given of before, by subscription. */
  #given = new Map();
  finding = 0;
  mostFinds = 0;
  closed = false;
  isBehind = false;
  /** The calls that wait for an answer. */
  #pending = new Set();

  constructor(seed, options, handlers) {
    this.peerId = `tn1${[...seed.slice(0, 4)].join("x")}`;
    this.options = JSON.parse(options);
    this.handlers = handlers;
    cores.push(this);
  }

  subscribe(number, query, options) {
    this.#check();
    if (globalThis.fakeRefused?.(JSON.parse(query))) throw JSON.stringify({ code: "options", message: "too many" });
    const asked = JSON.parse(options);
    this.subscribed.push(asked);
    if (asked.live) {
      this.lives.set(number, { query: JSON.parse(query), ...asked });
      this.change(number, { type: "state", phase: "loading", complete: false, more: false });
      return;
    }
    this.subscriptions.add(number);
    if (asked.backlog) this.#look(number, asked.backlog);
  }

  /** A live result set changes; of a document `n` tells one from the other. */
  change(number, what, n, more) {
    const document = n === undefined ? ["", ""] : [about(`id-${n}`, { createdAt: n, ...more }), `{"n":${n}}`];
    this.handlers.live(Uint32Array.of(number), JSON.stringify(what), ...document);
  }

  /** Gives of `found` what was asked for, with `gate` not before that resolves. */
  async #look(number, { last, since }) {
    await this.gate;
    if (!this.subscriptions.has(number)) return;
    const all = this.found ?? globalThis.fakeFound ?? [];
    const given = this.#given.get(number) ?? 0;
    const page = since === undefined ? all.slice(0, all.length - given).slice(-last) : all.filter((_, at) => at >= since);
    this.#given.set(number, given + page.length);
    const first = since === undefined ? all.length - given - page.length : all.length - page.length;
    page.forEach((json, at) => this.handlers.delivery(Uint32Array.of(number), about(`found-${first + at}`, { createdAt: first + at, cost: json.length, backlog: true }), json));
    const more = since === undefined && first > 0;
    this.handlers.ready(number, JSON.stringify({ complete: !more && (this.complete ?? true), more, sources: 1 }));
  }

  more(number, limit) {
    this.#check();
    const left = (this.found ?? globalThis.fakeFound ?? []).length - (this.#given.get(number) ?? 0);
    if (left > 0) this.#look(number, { last: limit });
    return left > 0;
  }

  hold(number, behind) {
    if (behind) this.held.add(number);
    else this.held.delete(number);
  }

  unsubscribe(number) {
    this.lives.delete(number);
    this.subscriptions.delete(number);
  }

  /** With `hold` a document is not taken until `take()`. */
  publish(document, options) {
    this.#check();
    const id = `id-${this.published.length}-${this.peerId}`;
    return new Promise((resolve, reject) => {
      this.#pending.add(reject);
      this.published.push({ document, options: JSON.parse(options), take: () => resolve(id), reject });
      if (!globalThis.fakeHold) resolve(id);
    });
  }

  delete(what, options) {
    this.#check();
    return new Promise((resolve, reject) => {
      this.#pending.add(reject);
      this.deleted.push({ what: JSON.parse(what), options: JSON.parse(options), take: () => resolve("deletion") });
      if (!globalThis.fakeHold) resolve("deletion");
    });
  }

  /** With `gate` nothing is found before that resolves. */
  async find(query, options, each) {
    this.asked.push(JSON.parse(options));
    this.finding += 1;
    this.mostFinds = Math.max(this.mostFinds, this.finding);
    await this.gate;
    this.finding -= 1;
    this.found?.forEach((json, index) => each(about(`found-${index}`, { createdAt: index, cost: json.length }), json));
    return JSON.stringify({ complete: this.complete ?? true, cursor: this.cursor ?? null });
  }

  blacklist(peer, until) {
    if (!peer.startsWith("tn1")) throw JSON.stringify({ code: "options", message: `\`${peer}\` is no peer's name`, path: "peer" });
    (this.listed ??= []).push({ peer, ...(until === undefined ? {} : { until }), times: 0 });
  }

  unblock(peer) {
    const before = this.listed?.length ?? 0;
    this.listed = this.listed?.filter((listed) => listed.peer !== peer);
    return before > (this.listed?.length ?? 0);
  }

  /** Of which keys. */
  stamped = [];

  stamp(key) {
    this.#check();
    this.stamped.push(JSON.parse(key));
    return JSON.stringify({ createdAt: (globalThis.fakeStamp = (globalThis.fakeStamp ?? 0) + 1), nonce: 1 });
  }

  stampsToKeep() {
    return JSON.stringify([globalThis.fakeStamp ?? 0]);
  }

  signallerCache() {
    return JSON.stringify(this.cached ?? []);
  }

  blacklistToKeep() {
    return JSON.stringify(this.listed ?? []);
  }

  deliver(id, json, exact = true, privacy = "open", cost = json.length, createdAt = 1, more = {}) {
    this.handlers.delivery(Uint32Array.from(this.subscriptions), about(id, { createdAt, hops: 1, from: "tn1from", exact, privacy, cost, ...more }), json);
  }

  /** A version under a key. */
  version(id, createdAt, more) {
    this.deliver(id, `{"n":${JSON.stringify(id)}}`, true, "open", 1, createdAt, { key: "k", ...more });
  }

  remove(id, reason, key = null) {
    this.handlers.removed(Uint32Array.from(this.subscriptions), JSON.stringify({ id, author: "tn1author", owner: "tn1author", key, reason }));
  }

  conflict(winner, loser) {
    const both = [winner, loser].flatMap((id) => [about(id, { key: "k" }), "{}"]);
    this.handlers.conflict(Uint32Array.from(this.subscriptions), ...both);
  }

  event(event) {
    this.handlers.event(JSON.stringify(event));
  }

  behind(behind) {
    this.isBehind = behind;
  }

  doze() {}
  wake() {}

  status() {
    this.#check();
    return JSON.stringify({ peerId: this.peerId, network: this.options.network, now: this.now ?? 0, links: this.links ?? [], signallers: this.signallers ?? [], spreading: "flooding", candidates: 0, failed: [], blacklist: this.listed ?? [], counters: { rejected: {} } });
  }

  /** Answers, as the real one, nothing any more; with `goodbye` not before that resolves. */
  async close() {
    this.closed = true;
    for (const reject of this.#pending) reject(CLOSED);
    await globalThis.fakeGoodbye;
    this.gone = true;
  }

  #check() {
    if (this.trap) throw new WebAssembly.RuntimeError("unreachable");
    if (this.closed) throw CLOSED;
  }

  free() {}
}
