// The demo's pages, as `taiinet-demo` serves them.

import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";

import { eventually } from "../harness/eventually.mjs";
import { Process } from "../harness/processes.mjs";
import { ARTEFACTS, DEMOS, PACKAGE, program } from "../harness/places.mjs";
import { browsers } from "../harness/suite.mjs";

/** @typedef {import("../harness/pages.mjs").Page} Page */

const { chromium } = browsers({ keep: true });

/** Where the demo is. */
let url = "";
before(async () => {
  const args = ["--pages", DEMOS, "--package", PACKAGE, "--http", "127.0.0.1:0", "--rate", "1000"];
  const demo = new Process("demo", program("taiinet-demo"), args);
  const said = () => [...demo.stdout, ...demo.stderr].join("\n");
  url = await demo.eventually("says where its pages are", () => /http:\/\/127\.0\.0\.1:\d+\//.exec(said())?.[0], 60_000);
});

const DESKTOP = { width: 1280, height: 860 };
/** Without `isMobile`, at whose change Puppeteer loads the page again. */
const PHONE = { width: 390, height: 844, deviceScaleFactor: 2 };

/**
 * A page of the demo; nothing that it asks for may come from elsewhere.
 * @param {string} path
 * @param {object} [options]
 */
async function open(path, options) {
  const page = await (await chromium()).page(path, { ...options, url: "about:blank" });
  page.puppet.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(url)) page.foreign.push(request.url());
  });
  await page.puppet.setViewport(DESKTOP);
  await page.open(new URL(path, url).href);
  return page;
}

/** @param {Page} page @param {string} selector @returns {Promise<string>} */
const text = (page, selector) => page.evaluate((selector) => document.querySelector(selector)?.textContent ?? "", selector);
/** @param {Page} page @param {string} id */
const number = async (page, id) => Number.parseFloat((await text(page, `#${id}`)).replaceAll(/[^\d.]/g, ""));

/** Waits until it has neighbours. @param {Page} page */
const linked = (page) => settled(page, "is linked", async () => /^[1-9]\d* peers?$/.test(await text(page, "#status summary")));

/** @param {Page} page @param {string} what @param {() => any} condition */
async function settled(page, what, condition) {
  const state = async () => `${await text(page, "#status")}\n${page.faults().join("\n")}\n${page.console.slice(-10).join("\n")}`;
  return await eventually(`${page.name}: ${what}`, condition, { state });
}

/** How many colours a canvas shows, coarsely: an empty one has one or two. @param {Page} page @param {string} id */
const colours = (page, id) =>
  page.evaluate((id) => {
    const canvas = /** @type {HTMLCanvasElement} */ (document.getElementById(id));
    const { data } = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")).getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let at = 0; at < data.length; at += 4) seen.add((data[at] >> 4) * 256 + (data[at + 1] >> 4) * 16 + (data[at + 2] >> 4));
    return seen.size;
  }, id);

/**
 * Pictures of a page as it is, light and dark, on a desktop and on a phone; it must fit both.
 * @param {Page} page
 * @param {string} name
 */
async function pictures(page, name) {
  for (const [device, scheme] of ["desktop light", "desktop dark", "phone dark", "phone light"].map((both) => both.split(" "))) {
    await page.puppet.setViewport(device === "phone" ? PHONE : DESKTOP);
    await page.puppet.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    // Two frames, so that what is drawn is drawn for this size and these colours.
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    await page.puppet.screenshot({ path: join(ARTEFACTS, `${name}-${device}-${scheme}.png`) });
    const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(wide <= room + 1, `${name} is ${wide} wide on a ${device} of ${room}`);
  }
  await page.puppet.setViewport(DESKTOP);
}

/** @param {Page} page */
const nothingForeign = (page) => assert.deepEqual(page.foreign, [], "asked of other hosts");

test("the first page shows the way and joins the mesh", async () => {
  const page = await open("/");
  await linked(page);
  const links = await page.evaluate(() => [...document.querySelectorAll("a")].map((a) => new URL(a.href).pathname));
  for (const path of ["/tweets/", "/quakes/", "/mesh/"]) assert.ok(links.includes(path), path);
  await pictures(page, "index");
  nothingForeign(page);
});

test("a tweet of one visitor appears at another's, and liked", async () => {
  const [one, two] = [await open("/tweets/"), await open("/tweets/")];
  await linked(one);
  await linked(two);
  const write = async (/** @type {string} */ words, /** @type {string} */ likes) => {
    await one.puppet.locator("#text").fill(words);
    await one.puppet.locator("#likes").fill(likes);
    await one.puppet.locator("#compose button").click();
    await settled(two, `shows: ${words}`, async () => (await text(two, "#tweets")).includes(words));
    await settled(one, `shows: ${words}`, async () => (await text(one, "#tweets")).includes(words));
  };
  await write("Peers of the world", "1");
  await write("<b>No markup</b> & no script", "7");
  await two.puppet.locator(".like").click();
  await settled(one, "shows the like", async () => /♥ (2|8)/.test(await text(one, "#tweets")));

  // By query: only the one with more than four.
  await two.puppet.locator("#query-text").fill('{"type": "tweet", "likes": {"$gt": 4}}');
  await two.puppet.locator("#query button").click();
  await settled(two, "shows just one", async () => {
    const shown = await text(two, "#tweets");
    return shown.includes("No markup") && !shown.includes("Peers of the world");
  });
  await pictures(one, "tweets");
  // Its author takes it back.
  await one.puppet.locator(".delete").click();
  await settled(two, "shows it no more", async () => !(await text(two, "#tweets")).includes("No markup"));
  [one, two].forEach(nothingForeign);
});

test("earthquakes of a native peer are drawn; a bad query is explained under its field", async () => {
  const page = await open("/quakes/");
  await linked(page);
  await settled(page, "has some", async () => (await number(page, "received")) > 30);
  assert.ok((await page.evaluate(() => document.querySelectorAll("#latest li").length)) > 0);
  assert.ok((await colours(page, "map")) > 5, "the map is drawn");
  assert.ok((await colours(page, "chart")) > 2, "the chart is drawn");
  await pictures(page, "quakes");

  const query = async (/** @type {string} */ words) => {
    await page.puppet.locator("#query-text").fill(words);
    await page.puppet.locator("#query button").click();
  };
  const fault = () => page.evaluate(() => {
    const shown = /** @type {HTMLElement} */ (document.getElementById("query-fault"));
    return shown.hidden || shown.offsetHeight === 0 ? "" : shown.textContent;
  });
  await query('{"magnitude": {"$gtt": 4}}');
  await settled(page, "explains the fault", async () => (await fault())?.includes("magnitude.$gtt"));
  assert.match((await fault()) ?? "", /\$gt\b/, "it says what may be meant");
  await page.puppet.screenshot({ path: join(ARTEFACTS, "quakes-fault.png") });
  await query('{"magnitude": ');
  await settled(page, "explains that it is no JSON", async () => (await fault())?.includes("JSON"));
  await query('{"magnitude": {"$gte": 4.5}}');
  await settled(page, "takes the better one", async () => (await fault()) === "");
  await settled(page, "shows some", async () => (await page.evaluate(() => document.querySelectorAll("#latest li").length)) > 2);
  const magnitudes = await page.evaluate(() => [...document.querySelectorAll("#latest li b")].map((one) => Number(one.textContent)));
  assert.ok(magnitudes.every((magnitude) => magnitude >= 4.5), `${magnitudes}`);
  nothingForeign(page);
});

test("the mesh is drawn: its peers, its links, documents that travel", async () => {
  const page = await open("/mesh/");
  await settled(page, "all its peers are linked", async () => /^(\d+) of \1 peers/.test(await text(page, "#summary")));
  const peers = () => page.evaluate(() => document.querySelectorAll("#table tr").length);
  const before = await number(page, "deliveries");
  await page.puppet.locator("#burst").click();
  const all = await peers();
  await settled(page, "the burst went round", async () => (await number(page, "deliveries")) >= before + 50 * (all - 1));
  assert.ok((await colours(page, "canvas")) > 8, "the picture is drawn");
  await pictures(page, "mesh");
  await page.puppet.locator("#add").click();
  await settled(page, "has one more", async () => (await peers()) === all + 1);
  await page.puppet.locator("#remove").click();
  await settled(page, "has one less", async () => (await peers()) === all);
  nothingForeign(page);
});
