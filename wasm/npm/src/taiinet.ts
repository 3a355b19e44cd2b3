import { LAST_DATE, boolean, duration, integer, list, options as checkOptions, signal as checkSignal, signallers as readSignallers, string } from "./arguments.js";
import type { Audience, Blacklisted, CoreEvent, CoreOptions, CoreStatus, Engine, PeerInfo, PublishQuery, SignallerRelay, Until, WasmSource } from "./engine.js";
import { Blacklist, stateStore } from "./blacklist.js";
import { toDeletions } from "./deletion.js";
import { toDelivery } from "./delivery.js";
import { TaiiNetError, closed, fromCore, wrongType } from "./errors.js";
import { Emitter } from "./events.js";
import { checkFindOptions, type FindOptions, type Found } from "./find.js";
import { MemoryVault, openVault, type Vault } from "./identity.js";
import { toKey, type KeyOptions } from "./key.js";
import { LiveQuery, LiveSets, checkLiveOptions, type LiveOptions } from "./live.js";
import { LocalEngine } from "./local.js";
import type { Query } from "./query.js";
import { watchPolicy } from "./policy.js";
import { SharedEngine, canShare } from "./shared.js";
import { LEADERLESS, active, diagnose, type Status } from "./status.js";
import { Subscription, checkSubscribeOptions, type SubscribeOptions, type SubscriptionEvents } from "./subscription.js";
import { encode, type Content, type Fields } from "./values.js";
import { discardWasm, loadWasm, wasmIfLoaded } from "./wasm.js";

export interface TaiiNetOptions {
  /** The network to take part in; the application chooses the name. */
  network: string;
  /** The signallers that introduce peers to each other: `wss://…`, perhaps with the signaller's key, `wss://…#tn1…`. */
  signallers: readonly string[];
  /** Under which name the identity is kept in this browser; `"ephemeral"` for one that is not.
   *  Default `"default"`. */
  identity?: string;
  /** Whether all tabs of this origin share one peer. Default true, but not for an identity that is not
   *  kept: each tab has another. Of tabs that differ in `signallers`, `targetLinks`, `maxLinks`, `signallerRelay` or
   *  `introduceByInterest` the one that runs the peer decides; the others get a `warning`. */
  shared?: boolean;
  /** How many links to keep, from 1 to 10. Default 6. */
  targetLinks?: number;
  /** How many links to have at most, from 1 to 10. Default 10. */
  maxLinks?: number;
  /** When links may be relayed by a signaller whose operator allows that: `"last-resort"`, where no direct one can
   *  be had, which is the default; `"never"`; or `"only"`, for no other links than those. The signaller sees which
   *  peers are linked and how much they say, but not what. */
  signallerRelay?: SignallerRelay;
  /** Whether signallers introduce this peer to others that want the same: in a large network it then finds sooner those that
   *  supply it. They are told hashes of what it subscribes to, as its neighbours are, but never of discreet subscriptions. They
   *  can guess what these stand for, and whoever guesses a query can ask them who has it. Default false. */
  introduceByInterest?: boolean;
  /** From where to load taiinet.wasm, if not from beside the script. */
  wasm?: WasmSource;
}

/** How to publish. */
export type PublishOptions = KeyOptions & DocumentOptions;

interface DocumentOptions {
  /** When it becomes worthless: milliseconds from now, `"30s"`, `"1d"`, or a Date. */
  expires?: number | string | Date;
  /** Who may read it, if not everyone: the peers that have subscribed privately to it
   *  (`"subscribers"`), or these peers (up to 1000 names, `tn1…`), by their private subscriptions that it
   *  matches, or else by their identity keys. It is sealed before it leaves this page. */
  to?: "subscribers" | readonly string[];
  /** With `to`: the fields that everyone may read all the same, by which it is found. */
  public?: readonly string[];
  /** With `to`: how many milliseconds to wait for a peer to subscribe privately to it, while none is
   *  known; 0 not at all. Default 2000. */
  waitMs?: number;
  /** Who is to have it before the promise resolves: a neighbour, which is the default and takes milliseconds, or the
   *  `"network"`: besides, it has come to the network's root, which has named it to all. That takes about a second
   *  more, five where little is published; it rejects with code `unconfirmed` if it has not come to that within five
   *  minutes. 1024 at once wait for the network, the others for these. */
  until?: Until;
  /** Ends the waiting, for a neighbour or the network: the promise rejects with the signal's reason. What is on its way already is
   *  not taken back. */
  signal?: AbortSignal;
}

/** How to delete. */
export interface DeleteOptions {
  /** As for {@link TaiiNet.publish}. */
  signal?: AbortSignal;
}

/** Something worth knowing that is not an error. */
export interface Warning {
  code: "identity-not-kept" | "not-shared" | "options-of-another-tab";
  message: string;
}

export interface TaiiNetEvents {
  status: Status;
  "peer-connected": { peer: string };
  "peer-disconnected": { peer: string; cause: string };
  /** Something from a neighbour was refused. */
  rejected: { peer: string | undefined; misbehaviour: string; text: string };
  /** A peer misbehaved so much that this one has nothing to do with it for a while. */
  blacklisted: Blacklisted;
  warning: Warning;
  /** The peer cannot go on. */
  error: Error;
}

/** The key of this peer. */
export interface Identity {
  /** The peer's name, `tn1…`; empty until `ready`. */
  readonly peerId: string;
  /** The secret key as a file that `taiinet-keys` and any `age` open. */
  export(passphrase: string): Promise<string>;
  /** Takes the key of such a file, or of plain PKCS#8 in PEM, from now on, in all tabs. */
  import(file: string | Uint8Array, passphrase: string): Promise<void>;
}

const EVENTS = ["status", "peer-connected", "peer-disconnected", "rejected", "blacklisted", "warning", "error"] as const;
const OPTIONS = ["network", "signallers", "identity", "shared", "targetLinks", "maxLinks", "signallerRelay", "introduceByInterest", "wasm"] as const;
const RELAYS: readonly SignallerRelay[] = ["last-resort", "never", "only"];
const EPHEMERAL = "ephemeral";
const MAX_LINKS = 10;
const PUBLISH_OPTIONS = ["key", "writers", "of", "expires", "to", "public", "waitMs", "until", "signal"] as const;
const UNTIL: readonly unknown[] = ["neighbour", "network"];
const RECIPIENTS = 1000;
const WAIT_MS = 2000;
/** Then it would be too old for any peer. */
const LONGEST_WAIT_MS = 300_000;

/** A peer: the page's place in the mesh. */
export class TaiiNet extends Emitter<TaiiNetEvents> {
  readonly network: string;
  /** Resolves when the peer runs; rejects if it cannot. */
  readonly ready: Promise<void>;
  readonly identity: Identity;
  /** The peers that are kept out, and that are to be. */
  readonly blacklist: Blacklist;
  readonly #options: CoreOptions;
  #vault: Vault = new MemoryVault();
  #engine: Engine | undefined;
  #peerId = "";
  #state: "starting" | "running" | "closed" | TaiiNetError = "starting";
  #subscriptions = new Set<Subscription<never>>();
  readonly #lives = new LiveSets(async (query, { private: isPrivate, ...live }, hear, failed) => {
    return (await this.#running()).subscribe(query, { private: isPrivate, live }, hear, failed);
  });
  #neighbours = new Set<string>();
  /** Called when there is a neighbour. */
  #met = new Set<() => void>();
  /** What was told last. */
  #lastStatusKey = "";
  #refreshing: ReturnType<typeof setTimeout> | undefined;

  constructor(options: TaiiNetOptions) {
    super(EVENTS);
    if (options === undefined) throw wrongType("options", "options", "an object with `network` and `signallers`", options);
    const { identity = "default", shared, wasm, ...rest } = checkOptions<TaiiNetOptions>(options, OPTIONS);
    this.#options = coreOptions(rest);
    this.network = this.#options.network;
    const name = string(identity, "options.identity");
    if (shared !== undefined) boolean(shared, "options.shared");
    watchPolicy();
    this.identity = this.#identity(name);
    this.blacklist = new Blacklist(() => this.#running());
    this.ready = this.#start(name, shared ?? name !== EPHEMERAL, wasm);
    // A caller that does not wait for it hears of it by the event.
    this.ready.catch(() => {});
  }

  /** Subscribes to the documents that match `query`.
   *  @throws TaiiNetError with code `query` and the `path` of the fault; before the peer is `ready` as
   *  the subscription's event `error`, where only the core can tell. */
  subscribe<T extends object = Fields>(query: Query<T>, options?: SubscribeOptions): Subscription<T> {
    this.#checkOpen();
    const text = this.#query(query);
    const { wanted, signal } = checkSubscribeOptions(options);
    const subscription = new Subscription<T>(
      {
        open: async (hear, failed) => (await this.#running()).subscribe(text, wanted, hear, failed),
        publish: async (document, publishOptions) =>
          this.publish(document, wanted.private ? { to: "subscribers", ...checkOptions<PublishOptions>(publishOptions, PUBLISH_OPTIONS) } : publishOptions),
        closed: () => this.#subscriptions.delete(subscription as Subscription<never>),
      },
      wanted.backlog,
    );
    this.#subscriptions.add(subscription as Subscription<never>);
    signal?.addEventListener("abort", () => subscription.close(), { once: true });
    if (signal?.aborted) subscription.close();
    return subscription;
  }

  /**
   * The documents that match `query`, in an order, the first so many of them, kept true: what is published, replaced,
   * deleted or expires changes it, and what was published before is looked for. It begins with its first listener.
   * @throws TaiiNetError as {@link subscribe} does, or with code `options`; what only the core can tell, before the peer is
   * `ready`, is the snapshot's `error`.
   */
  live<T extends object = Fields>(query: Query<T>, options?: LiveOptions<T>): LiveQuery<T> {
    this.#checkOpen();
    return new LiveQuery<T>(this.#lives, this.#query(query), checkLiveOptions(options));
  }

  /** Publishes a document. Resolves with its id when a neighbour has taken it: then it is not lost
   *  with this page; with `until: "network"` when the network has it. Without a neighbour it waits for one, for up to
   *  five minutes. With `to` in the options it is sealed; it rejects with code `recipients` if it has none. */
  async publish<T extends object>(document: T & Content<T>, options?: PublishOptions): Promise<string> {
    this.#checkOpen();
    const text = encode(document, "document");
    const checked = checkOptions<PublishOptions>(options, PUBLISH_OPTIONS);
    const { expires, until } = checked;
    if (until !== undefined && !UNTIL.includes(until)) throw wrongType("options", "options.until", '"neighbour" or "network"', until);
    const key = toKey(checked);
    const expiresAt = expires === undefined ? undefined : expiry(expires);
    const recipients = sealing(checked);
    checkSignal(checked.signal, "options.signal");
    const publishing = this.#running().then((engine) => engine.publish(text, { ...key, expiresAt, ...recipients, ...(until === "network" && { until }) }));
    return unlessAborted(checked.signal, publishing);
  }

  /** Deletes documents of this peer: one or several by their ids, or what stands under a key of this peer, or under one
   *  of another's (`of`) that lets this one write. Resolves when a neighbour
   *  has taken the deletion, as {@link publish} does. Peers that have the documents drop them, those that get them later
   *  do not show them, and subscriptions that showed them tell so by the event `remove`. By ids only documents of this
   *  peer are deleted; under a shared key all its versions are, whoever wrote them. */
  async delete(what: string | readonly string[] | { readonly key: string; readonly of?: string }, options?: DeleteOptions): Promise<void> {
    this.#checkOpen();
    const deletions = toDeletions(what);
    const { signal } = checkOptions<DeleteOptions>(options, ["signal"]);
    checkSignal(signal, "options.signal");
    const deleting = this.#running().then((engine) => Promise.all(deletions.map((one) => engine.delete(one, {}))));
    await unlessAborted(signal, deleting);
  }

  /** Documents that match, of this peer, its neighbours and archives among them; the newest first unless `sort` says
   *  otherwise. What comes is a list that also says whether that was all (`complete`) and from where another search can
   *  go on (`cursor`). Many searches at once wait for their turn, 16 at a time. */
  async find<T extends object = Fields>(query: Query<T>, options?: FindOptions<T>): Promise<Found<T>> {
    this.#checkOpen();
    const text = this.#query(query);
    const asked = checkFindOptions(options);
    const engine = await this.#running();
    const until = Date.now() + asked.timeoutMs;
    // One that has just started has no neighbour to ask yet.
    await Promise.race([this.#meet(), after(asked.timeoutMs)]);
    const { documents, ...ended } = await engine.find(text, { ...asked, timeoutMs: Math.max(1, until - Date.now()) });
    return Object.assign(documents.map((raw) => toDelivery<T>(raw)), ended);
  }

  /** The neighbours. */
  async peers(): Promise<PeerInfo[]> {
    return active(await this.status());
  }

  /** Links, signallers, counters, and what is wrong, if anything is. */
  async status(): Promise<Status> {
    const engine = await this.#running();
    const core = await engine.status();
    return { ...core, ...diagnose(core, engine.isHere) };
  }

  /** Leaves the network; the other tabs go on. Documents that no neighbour has taken are lost. */
  async close(): Promise<void> {
    if (this.#state === "closed") return;
    const engine = this.#engine;
    this.#state = "closed";
    for (const subscription of [...this.#subscriptions]) subscription.close();
    this.#lives.end(closed());
    clearTimeout(this.#refreshing);
    if (typeof removeEventListener !== "undefined") removeEventListener("offline", this.#refresh);
    this.#show({ state: "closed", peers: 0 });
    await engine?.close();
  }

  // ---- Starting ----

  async #start(name: string, shared: boolean, wasm?: WasmSource): Promise<void> {
    try {
      this.#show({ state: "starting", peers: 0 });
      const [bindings] = await Promise.all([loadWasm(wasm), name === EPHEMERAL || this.#openVault(name)]);
      if (this.#state === "closed") throw closed();
      const keptAs = name === EPHEMERAL ? undefined : name;
      const kept = { blacklist: stateStore(keptAs, "blacklist"), signallers: stateStore(keptAs, "signallers"), stamps: stateStore(keptAs, "stamps") };
      const start = (audience: Audience, silentMs = 0) =>
        LocalEngine.start(bindings, this.#options, () => this.#vault.seed(), audience, kept, silentMs);
      const started = new Promise<void>((resolve, reject) => {
        const audience: Audience = {
          started: (peerId: string, running: CoreOptions) => {
            this.#peerId = peerId;
            this.#compare(running);
            this.#forgetNeighbours();
            this.#lives.resume();
            resolve();
            this.#refresh();
          },
          event: (event: CoreEvent) => this.#event(event),
          leaderless: () => {
            this.#forgetNeighbours();
            this.#lives.stale();
            this.#show({ state: "connecting", peers: 0, ...LEADERLESS });
          },
          failed: (error: Error) => {
            reject(error);
            this.#fail(error);
          },
        };
        const obstacle = !canShare() ? "this browser has no Web Locks" : this.#vault.isKept ? undefined : "the identity is not kept where other tabs find it";
        if (shared && !obstacle) {
          this.#engine = new SharedEngine({ network: this.network, identity: name }, start, audience);
        } else {
          if (shared) this.emit("warning", { code: "not-shared", message: `${obstacle}, so each tab is a peer of its own` });
          start(audience).then((engine) => (this.#engine = engine), audience.failed);
        }
      });
      await started;
      // The engine of this tab is there a moment after it has told its name.
      while (!this.#engine) await Promise.resolve();
      if (this.#isClosed()) {
        await this.#engine.close();
        throw closed();
      }
      this.#state = "running";
      if (typeof addEventListener !== "undefined") addEventListener("offline", this.#refresh);
      this.#refresh();
    } catch (error) {
      throw this.#isClosed() ? closed() : this.#fail(error);
    }
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }

  async #openVault(name: string): Promise<void> {
    this.#vault = await openVault(name);
    if (this.#vault.warning) this.emit("warning", { code: "identity-not-kept", message: this.#vault.warning });
  }

  #identity(name: string): Identity {
    const peerId = () => this.#peerId;
    return {
      get peerId() {
        return peerId();
      },
      export: async (passphrase) => {
        checkPassphrase(passphrase);
        await this.#running();
        const seed = await this.#vault.seed();
        try {
          return await (await import("./keyfile.js")).seal(seed, passphrase);
        } finally {
          seed.fill(0);
        }
      },
      import: async (file, passphrase) => {
        if (typeof file !== "string" && !(file instanceof Uint8Array)) throw wrongType("argument", "the key file", "a string or Uint8Array", file);
        checkPassphrase(passphrase);
        const engine = await this.#running();
        const nameOf = async (seed: Uint8Array) => (await loadWasm()).peerId(seed);
        const seed = await (await import("./keyfile.js")).unseal(file, passphrase, nameOf);
        await this.#vault.replace(seed);
        seed.fill(0);
        await engine.restart();
      },
    };
  }

  #checkOpen(): void {
    if (this.#state === "closed") throw closed();
    if (this.#state instanceof TaiiNetError) throw this.#state;
  }

  async #running(): Promise<Engine> {
    await this.ready;
    this.#checkOpen();
    return this.#engine as Engine;
  }

  #query(query: unknown): string {
    const text = encode(query, "query");
    const bindings = wasmIfLoaded();
    if (!bindings) return text;
    try {
      bindings.checkQuery(text);
    } catch (error) {
      if (typeof error !== "string") discardWasm(bindings);
      throw fromCore(error);
    }
    return text;
  }

  // ---- What happens ----

  #event(event: CoreEvent): void {
    switch (event.type) {
      case "peer-connected":
        this.#neighbours.add(event.peer);
        for (const met of this.#met) met();
        this.#tell("peer-connected", { peer: event.peer });
        break;
      case "peer-disconnected":
        this.#neighbours.delete(event.peer);
        this.#tell("peer-disconnected", { peer: event.peer, cause: event.cause });
        break;
      case "rejected":
        this.emit("rejected", { peer: event.peer, misbehaviour: event.misbehaviour, text: event.text });
        break;
      case "blacklisted": {
        const { type: _, ...listed } = event;
        this.emit("blacklisted", listed);
      }
    }
    this.#refresh();
  }

  /** Of a peer that another tab runs, only that tab's options count. */
  #compare(running: CoreOptions): void {
    const differ = (["signallers", "targetLinks", "maxLinks", "signallerRelay", "introduceByInterest"] as const).filter((name) => JSON.stringify(running[name]) !== JSON.stringify(this.#options[name]));
    if (differ.length === 0) return;
    const names = differ.map((name) => `options.${name}`).join(", ");
    this.emit("warning", { code: "options-of-another-tab", message: `another tab runs the peer, with its own ${names}; this tab's count when it takes over` });
  }

  /** Those of the peer that ran before: the one that has taken over has none yet. */
  #forgetNeighbours(): void {
    const before = [...this.#neighbours];
    this.#neighbours.clear();
    for (const peer of before) this.#tell("peer-disconnected", { peer, cause: "the tab that held the link is gone" });
  }

  #tell<K extends "peer-connected" | "peer-disconnected">(name: K, event: TaiiNetEvents[K]): void {
    this.emit(name, event);
    for (const subscription of [...this.#subscriptions]) subscription.forwardPeerEvent(name, event as SubscriptionEvents<never>[K]);
  }

  #fail(error: unknown): TaiiNetError {
    if (this.#state instanceof TaiiNetError) return this.#state;
    const failure = fromCore(error);
    this.#state = failure;
    this.emit("error", failure);
    for (const subscription of [...this.#subscriptions]) subscription.close();
    this.#lives.end(failure);
    this.#show({ state: "failed", peers: 0, problem: failure.problem ?? failure.message, advice: failure.advice ?? "make a new TaiiNet, or reload the page" });
    return failure;
  }

  /** Resolves when there is a neighbour, or has been. */
  async #meet(): Promise<void> {
    if (this.#neighbours.size > 0 || (await this.peers()).length > 0) return;
    await new Promise<void>((resolve) => {
      const met = () => {
        this.#met.delete(met);
        resolve();
      };
      this.#met.add(met);
    });
  }

  /** Looks at the status when what happens now is over, and tells if it has changed. */
  #refresh = (): void => {
    if (this.#state !== "running") return;
    this.#refreshing ??= setTimeout(() => {
      this.#refreshing = undefined;
      this.status().then(
        (status) => this.#state === "running" && this.#show(status),
        () => {},
      );
    }, 20);
  };

  /** Tells of the status, if what matters of it has changed. */
  #show(news: Pick<Status, "state" | "peers"> & Partial<Status>): void {
    const status: Status = { ...empty(this.network, this.#peerId), ...news };
    const { state, peers, problem, signallers } = status;
    const statusKey = JSON.stringify([state, peers, problem, signallers.map(({ joined }) => joined)]);
    if (statusKey === this.#lastStatusKey) return;
    this.#lastStatusKey = statusKey;
    // Not within the constructor: there can be no listener yet.
    queueMicrotask(() => this.emit("status", status));
  }
}

function coreOptions({ network, signallers, targetLinks, maxLinks, signallerRelay, introduceByInterest }: Partial<TaiiNetOptions>): CoreOptions {
  const name = string(network, "options.network");
  if (!name || new TextEncoder().encode(name).length > 64) {
    throw new TaiiNetError("options", "options.network must be a name of 1 to 64 bytes", "options.network");
  }
  const addresses = list(signallers, "options.signallers").flatMap((one, index) => readSignallers(one, `options.signallers[${index}]`));
  const most = maxLinks === undefined ? MAX_LINKS : integer(maxLinks, "options.maxLinks", 1, MAX_LINKS);
  if (targetLinks !== undefined) integer(targetLinks, "options.targetLinks", 1, most);
  if (signallerRelay !== undefined && !RELAYS.includes(signallerRelay)) {
    throw new TaiiNetError("options", `options.signallerRelay must be ${RELAYS.map((one) => JSON.stringify(one)).join(" or ")}`, "options.signallerRelay");
  }
  if (introduceByInterest !== undefined) boolean(introduceByInterest, "options.introduceByInterest");
  return { network: name, signallers: addresses, targetLinks, maxLinks, signallerRelay, introduceByInterest };
}

function expiry(expires: unknown): number {
  const at = expires instanceof Date ? expires.getTime() : Date.now() + duration(expires, "options.expires");
  if (!(at > Date.now())) throw new TaiiNetError("options", "options.expires must lie in the future", "options.expires");
  if (at > LAST_DATE) throw new TaiiNetError("options", "options.expires lies beyond the last date there is; leave it out for none", "options.expires");
  return Math.round(at);
}

/** The recipients of a document. */
function sealing(options: PublishOptions): Pick<PublishQuery, "to" | "public" | "waitMs"> {
  const fault = (path: string, text: string) => new TaiiNetError("options", `${path} ${text}`, path);
  // A caller that gives `to` means to seal: one that is undefined by mistake must not make it open.
  if (!("to" in options)) {
    const [stray] = (["public", "waitMs"] as const).filter((name) => options[name] !== undefined);
    if (stray) throw fault(`options.${stray}`, "is only for documents that are not for everyone; name in options.to who may read it");
    return {};
  }
  const { to, public: open = [], waitMs = WAIT_MS } = options;
  if (to !== "subscribers") {
    if (!Array.isArray(to)) throw wrongType("options", "options.to", '"subscribers" or a list of peer ids', to);
    if (to.length === 0) throw fault("options.to", "must name at least one peer");
    if (to.length > RECIPIENTS) throw fault("options.to", `must name at most ${RECIPIENTS} peers, not ${to.length}`);
    to.forEach((peer, index) => string(peer, `options.to[${index}]`));
  }
  list(open, "options.public").forEach((name, index) => string(name, `options.public[${index}]`));
  integer(waitMs, "options.waitMs", 0, LONGEST_WAIT_MS);
  return { to: to === "subscribers" ? to : { peers: to }, public: open, waitMs };
}

function checkPassphrase(passphrase: unknown): void {
  if (!string(passphrase, "the passphrase", "argument")) throw new TaiiNetError("argument", "the passphrase must not be empty");
}

/** The promise, unless the signal comes first. */
async function unlessAborted<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  if (!signal) return promise;
  const stop = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true, signal: stop.signal });
  });
  return Promise.race([aborted, promise]).finally(() => stop.abort());
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function empty(network: string, peerId: string): CoreStatus {
  const counters = { published: 0, leftOut: 0, unopened: 0, unknown: 0, delivered: 0, received: 0, wanted: 0, passedOn: 0, unwanted: 0, duplicates: 0, sent: 0, announced: 0, grafted: 0, rejected: {} };
  return { peerId, network, now: Date.now(), links: [], signallers: [], spreading: "flooding", candidates: 0, private: 0, failed: [], blacklist: [], counters };
}
