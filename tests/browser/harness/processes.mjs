// The native programs, each a process of its own. All are killed when the test ends, whatever happens.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { eventually } from "./eventually.mjs";
import { program } from "./places.mjs";

/** @type {Set<Process>} */
const running = new Set();
process.on("exit", () => running.forEach((one) => one.child.kill("SIGKILL")));

/** A running program and what it has said so far. */
export class Process {
  /**
   * @param {string} name what the test calls it
   * @param {string} path
   * @param {string[]} args
   * @param {{ far?: boolean, env?: Record<string, string> }} [options] `far`: on the machine at the
   *   other end of the network (see `namespace.mjs`)
   */
  constructor(name, path, args, { far = false, env = {} } = {}) {
    this.name = name;
    /** @type {string[]} */
    this.stdout = [];
    /** @type {string[]} what it said on stderr, without reports */
    this.stderr = [];
    /** The last status it reported (`--report`). @type {any} */
    this.report = undefined;
    const command = far ? ["nsenter", `--net=/proc/${process.env.TAIINET_FAR}/ns/net`, path] : [path];
    const clean = Object.entries(process.env).filter(
      ([name]) => !/^TAIINET_(NETWORK|SIGNALLER|IDENTITY|PASSPHRASE)$/.test(name),
    );
    this.child = spawn(command[0], [...command.slice(1), ...args], {
      env: { ...Object.fromEntries(clean), ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    running.add(this);
    /** Resolves with the exit code, or with the signal that ended it. */
    this.ended = new Promise((done) => {
      this.child.on("error", (error) => {
        this.stderr.push(`cannot be run: ${error.message}`);
        done(-1);
      });
      this.child.on("close", (code, signal) => {
        running.delete(this);
        done(code ?? signal);
      });
    });
    this.child.stdin.on("error", () => {}); // It has ended, which shows elsewhere.
    createInterface({ input: this.child.stdout }).on("line", (line) => this.stdout.push(line));
    createInterface({ input: this.child.stderr }).on("line", (line) => {
      const report = line.startsWith('{"status":') && whole(line);
      if (report) this.report = report.status;
      else this.stderr.push(line);
    });
  }

  /**
   * As `eventually`; a failure shows what the program has said.
   * @template T
   * @param {string} what
   * @param {() => T | Promise<T>} condition
   * @param {number} [within]
   */
  eventually(what, condition, within) {
    const state = () =>
      `${JSON.stringify(this.report ?? null)}\n${this.name} said: ${this.stderr.slice(-20).join("\n")}`;
    return eventually(`${this.name}: ${what}`, condition, { within, state });
  }

  /** Writes a line to its stdin. @param {string} line */
  write(line) {
    this.child.stdin.write(`${line}\n`);
  }

  endInput() {
    this.child.stdin.end();
    return this.ended;
  }

  /** Kills it (SIGKILL) and waits for its end. */
  kill() {
    this.child.kill("SIGKILL");
    return this.ended;
  }
}

/** A line of JSON; nothing if the program was killed while it wrote it. @param {string} line */
function whole(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Ends all programs that still run. */
export const killAll = () => Promise.all([...running].map((one) => one.kill()));

/**
 * Runs one of our programs to its end; gives its stdout.
 * @param {string} name
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 */
export async function run(name, args, env) {
  const one = new Process(name, program(name), args, { env });
  one.child.stdin.end();
  const code = await one.ended;
  if (code !== 0) throw new Error(`${name} ${args.join(" ")} ended with ${code}: ${one.stderr.join("\n")}`);
  return one.stdout.join("\n");
}

/** A running signaller. */
export class Signaller extends Process {
  url = "";

  /** @param {{ address?: string, far?: boolean, args?: string[] }} [options] */
  static async start({ address = "127.0.0.1:0", far, args = [] } = {}) {
    const one = new Signaller(
      "signaller",
      program("taiinet-signaller"),
      ["--listen", address, "--json", ...args],
      { far },
    );
    one.url = await one.eventually("listens", () => one.stdout[0] && JSON.parse(one.stdout[0]).url);
    return one;
  }
}

/** A running `taiinet` that takes part in a network. */
export class NativePeer extends Process {
  /** Its name in the network. @returns {Promise<string>} */
  id() {
    return this.eventually("says who it is", () => this.report?.peer_id);
  }

  /** Its active links, by its last report. @returns {Promise<Set<string>>} */
  async neighbours() {
    /** @type {any[]} */
    const links = this.report?.links ?? [];
    return new Set(links.filter((link) => link.state === "active").map((link) => link.peer));
  }

  /** What a subscriber was delivered so far, with author, id and times. @returns {Promise<any[]>} */
  async deliveries() {
    return this.stdout.map((line) => JSON.parse(line));
  }

  /** The documents that a subscriber was delivered so far, in order. */
  async documents() {
    return (await this.deliveries()).map((delivery) => delivery.data);
  }

  /** Publishes one more document. @param {unknown} document */
  publish(document) {
    this.write(JSON.stringify(document));
  }
}

let meshes = 0;

/** A network of its own, and how to reach it. */
export class Mesh {
  /**
   * @param {Signaller[]} signallers
   * @param {{ far?: boolean, args?: string[] }} [options] for all native peers
   */
  constructor(signallers, { far, args = [] } = {}) {
    this.network = `browser-${process.pid}-${meshes++}`;
    this.signallers = signallers.map((signaller) => signaller.url);
    this.far = far;
    this.args = args;
  }

  /** A running `taiinet` with these arguments. @param {string} name @param {string[]} args */
  run(name, args) {
    const where = this.signallers.flatMap((url) => ["--signaller", url]);
    const all = [...args, "--network", this.network, ...where, ...this.args];
    return new NativePeer(name, program("taiinet"), all, { far: this.far });
  }

  /** A peer that subscribes. @param {string} name @param {unknown} [query] @param {string[]} [args] */
  subscriber(name, query = {}, args = []) {
    return this.run(name, ["subscribe", JSON.stringify(query), "--json", "--report", ...args]);
  }

  /** A peer that publishes what the test gives it. @param {string} name @param {string[]} [args] */
  publisher(name, args = []) {
    return this.run(name, ["publish", "--report", ...args]);
  }

  /** The options of a page's peer. @param {object} [options] */
  options(options = {}) {
    return { network: this.network, signallers: this.signallers, ...options };
  }
}

/** @typedef {{ name: string, id(): Promise<string>, neighbours(): Promise<Set<string>> }} Member a native peer or a page */

/** Which peers are linked, by both their words. @param {Member[]} peers @returns {Promise<Map<string, Set<string>>>} */
export async function graph(peers) {
  const told = new Map(
    await Promise.all(peers.map(async (peer) => /** @type {const} */ ([await peer.id(), await peer.neighbours()]))),
  );
  for (const [one, links] of told) {
    told.set(one, new Set([...links].filter((other) => told.get(other)?.has(one))));
  }
  return told;
}

/** Whether all can reach all, also without `lost`. @param {Map<string, Set<string>>} links @param {string} [lost] */
export function isOne(links, lost) {
  const [first, ...others] = [...links.keys()].filter((id) => id !== lost);
  const reached = new Set([first]);
  for (const here of reached) {
    links.get(here)?.forEach((there) => there !== lost && reached.add(there));
  }
  return others.every((id) => reached.has(id));
}

/** Waits until these peers are one mesh. @param {Member[]} peers @param {number} [within] */
export async function connected(peers, within) {
  const state = async () => {
    const links = await graph(peers);
    const ids = await Promise.all(peers.map((peer) => peer.id()));
    return Object.fromEntries(peers.map((peer, n) => [`${peer.name} ${ids[n]}`, [...(links.get(ids[n]) ?? [])]]));
  };
  await eventually("the peers are one mesh", async () => isOne(await graph(peers)), { within, state });
}
