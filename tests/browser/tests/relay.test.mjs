// Pages whose links a signaller relays, since no WebRTC gets through.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Mesh, Signaller, connected } from "../harness/processes.mjs";
import { browsers, exactly } from "../harness/suite.mjs";

const { chromium, firefox } = browsers();

for (const [name, get] of Object.entries({ Chromium: chromium, Firefox: firefox })) {
  test(`${name}: a page and a native peer that reach nothing but their signaller: documents both ways, each once`, async () => {
    const mesh = new Mesh([await Signaller.start({ args: ["--relay"] })]);
    const native = mesh.subscriber("native", {}, ["--signaller-relay", "only"]);
    const author = mesh.publisher("native author", ["--signaller-relay", "only"]);
    const page = await (await get()).peer("page", mesh.options({ signallerRelay: "only" }));
    await page.subscribe({});
    await connected([native, author, page]);
    const documents = [...Array(100).keys()].map((number) => ({ number, by: number % 2 ? "page" : "native" }));
    for (const document of documents) await (document.by === "page" ? page : author).publish(document);
    await exactly(native, documents);
    await exactly(page, documents);
    const { links, signallers } = await page.status();
    assert.ok(links.length > 0 && links.every(({ relayed }) => relayed), JSON.stringify(links));
    assert.equal(signallers[0].relays, true);
  });
}
