// Real browsers and the pages in them.

import assert from "node:assert/strict";

import puppeteer from "puppeteer-core";

import { eventually } from "./eventually.mjs";
import { browser as path } from "./places.mjs";
import { serve } from "./server.mjs";

const CHROMIUM_ARGS = [
  "--no-sandbox", // Root in a container has none; the pages are our own.
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  "--js-flags=--expose-gc",
];
/** Puppeteer takes away what browsers do to hidden tabs; our tests want just that. */
const THROTTLING = [
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
];
const FIREFOX_PREFS = {
  "media.peerconnection.ice.loopback": true,
  "media.peerconnection.ice.obfuscate_host_addresses": false,
  "network.proxy.type": 0,
};

/** A browser or a page that takes longer to close is left alone. */
const CLOSING_MS = 5_000;

/** A browser, and the server of its pages. */
export class Browser {
  /** @param {import("puppeteer-core").Browser} puppet @param {Awaited<ReturnType<typeof serve>>} server */
  constructor(puppet, server) {
    this.puppet = puppet;
    this.server = server;
    /** @type {Page[]} */
    this.pages = [];
  }

  /** @param {"chromium" | "firefox"} [name] */
  static async launch(name = "chromium") {
    // A passphrase takes Firefox half a minute where the machine is busy.
    const common = { executablePath: path(name), headless: true, protocolTimeout: 120_000, timeout: 30_000 };
    const puppet = await puppeteer.launch(
      name === "firefox"
        ? { ...common, browser: "firefox", extraPrefsFirefox: FIREFOX_PREFS }
        : { ...common, args: CHROMIUM_ARGS, ignoreDefaultArgs: THROTTLING },
    );
    return new Browser(puppet, await serve());
  }

  /** A profile of its own: its own storage, as another user's. */
  context() {
    return this.puppet.createBrowserContext();
  }

  /**
   * A page that has loaded, in a profile of its own unless one is given.
   * @param {string} name
   * @param {{ context?: import("puppeteer-core").BrowserContext, url?: string, before?: () => void,
   *   tolerate?: RegExp[] }} [options] `before` runs in the page before all else
   */
  async page(name, { context, url = this.server.url, before, tolerate } = {}) {
    const puppet = await (context ?? (await this.context())).newPage();
    const page = new Page(name, puppet, this.server.url, tolerate);
    this.pages.push(page);
    if (before) await puppet.evaluateOnNewDocument(before);
    await page.open(url);
    return page;
  }

  /** A page with a running peer. @param {string} name @param {object} options @param {object} [rest] */
  async peer(name, options, rest = {}) {
    const page = await this.page(name, rest);
    await page.start(options);
    return page;
  }

  /** Closes all pages; fails if one of them had a fault that no test expected. */
  async closePages() {
    const pages = this.pages.splice(0);
    const faults = pages.flatMap((page) => page.faults());
    for (const page of pages) {
      await soon(page.puppet.close()); // It may have crashed, as some tests want.
    }
    const contexts = new Set(pages.map((page) => page.puppet.browserContext()));
    for (const context of contexts) await soon(context.close());
    assert.deepEqual(faults, [], "errors in the pages");
  }

  async close() {
    this.server.close();
    await soon(this.puppet.close());
    this.puppet.process()?.kill("SIGKILL");
  }
}

/** Waits for something that is of no use if it fails or takes long. @param {Promise<unknown>} work */
async function soon(work) {
  let timer;
  const enough = new Promise((done) => (timer = setTimeout(done, CLOSING_MS)));
  await Promise.race([work.catch(() => {}), enough]);
  clearTimeout(timer);
}

/** A page; most have a peer in them. */
export class Page {
  /** @type {string[]} */
  #errors = [];

  /**
   * @param {string} name
   * @param {import("puppeteer-core").Page} puppet
   * @param {string} blank the address of the page with `page.js`
   * @param {RegExp[]} [tolerate]
   */
  constructor(name, puppet, blank, tolerate = []) {
    this.name = name;
    this.puppet = puppet;
    this.blank = blank;
    /** Errors that a test brings about. */
    this.tolerated = [...tolerate];
    /** Addresses of other hosts that it asked for, where a test looks. @type {string[]} */
    this.foreign = [];
    /** All that was printed, for failures. @type {string[]} */
    this.console = [];
    puppet.on("pageerror", (error) => this.#errors.push(`uncaught: ${error instanceof Error ? error.stack : error}`));
    puppet.on("console", (message) => {
      this.console.push(`${message.type()}: ${message.text()}`);
      if (message.type() === "error") this.#errors.push(`console: ${message.text()} ${message.location()?.url ?? ""}`);
    });
  }

  /** Errors on the console, uncaught ones and unhandled rejections, but for those that are tolerated. */
  faults() {
    return this.#errors
      .filter((error) => !this.tolerated.some((pattern) => pattern.test(error)))
      .map((error) => `${this.name}: ${error}`);
  }

  /** Opens an address. @param {string} url */
  async open(url) {
    await this.puppet.goto(url, { waitUntil: "load" });
    if (new URL(url).href === this.blank) await this.#loaded();
  }

  async reload() {
    await this.puppet.reload({ waitUntil: "load" });
    await this.#loaded();
  }

  async #loaded() {
    const state = () => [...this.#errors, ...this.console].join("\n");
    await eventually(`${this.name} has loaded`, () => this.evaluate(() => "inPage" in globalThis), { state });
  }

  /**
   * Runs a function in the page; `inPage` is that of `page.js`.
   * @type {import("puppeteer-core").Page["evaluate"]}
   */
  evaluate(code, ...args) {
    return this.puppet.evaluate(code, ...args);
  }

  /** Starts its peer; gives the PeerId. @param {object} options @returns {Promise<string>} */
  start(options) {
    return this.evaluate((options) => inPage.start(options), options);
  }

  /** @returns {Promise<string>} */
  id() {
    return this.evaluate(() => inPage.peer.identity.peerId);
  }

  /** @returns {Promise<any>} */
  status() {
    return this.evaluate(() => inPage.peer.status());
  }

  /** Its active links. @returns {Promise<Set<string>>} */
  async neighbours() {
    const peers = await this.evaluate(() => inPage.peer.peers());
    return new Set(peers.map((/** @type {any} */ link) => link.peer));
  }

  /** What it told by events. @param {string} type @returns {Promise<any[]>} */
  async events(type) {
    const all = await this.evaluate(() => inPage.events);
    return all.filter((/** @type {any} */ event) => event.event === type);
  }

  /** Subscribes under a name of the test's. @param {unknown} [query] @param {string} [name] @param {object} [options] */
  subscribe(query = {}, name = "all", options = undefined) {
    return this.evaluate((name, query, options) => inPage.subscribe(name, query, options ?? undefined), name, query, options ?? null);
  }

  /** What it was delivered so far, in order. @param {string} [name] @returns {Promise<any[]>} */
  deliveries(name = "all") {
    return this.evaluate((name) => inPage.subscribers[name].deliveries, name);
  }

  /** The documents that it was delivered so far, in order. @param {string} [name] @returns {Promise<any[]>} */
  async documents(name = "all") {
    return (await this.deliveries(name)).map((delivery) => delivery.data);
  }

  /** Publishes; resolves with the id once a neighbour took it. @param {unknown} document @param {object} [options] */
  publish(document, options) {
    return this.evaluate((document, options) => inPage.peer.publish(document, options ?? undefined), document, options ?? null);
  }

  /** What this code throws in the page; null if nothing. @param {string} code `peer`, `TaiiNet` */
  thrown(code) {
    return this.evaluate((code) => inPage.thrown(code), code);
  }

  /** As `eventually`; a failure shows the page's state. @param {string} what @param {() => any} condition @param {number} [within] */
  eventually(what, condition, within) {
    const state = async () =>
      [
        JSON.stringify(await this.status().catch(String)),
        JSON.stringify((await this.evaluate(() => inPage.events.slice(-20)).catch(String))),
        ...this.#errors,
        ...this.console.slice(-20),
      ].join("\n");
    return eventually(`${this.name}: ${what}`, condition, { within, state });
  }
}

/** Chromium says this of every connection that is refused; the page cannot keep it from that. */
export const REFUSED_SOCKETS = /WebSocket connection to .* failed|can.t establish a connection to the server at ws/;
