// What a page takes of another's offer or answer.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Mesh, Signaller } from "../harness/processes.mjs";
import { browsers } from "../harness/suite.mjs";

const { chromium } = browsers();

/** Runs in the hostile page: what it sends is its own description and a stream of pictures, with many
 *  candidates at an address of its choice. */
function offersMore() {
  const scope = /** @type {any} */ (globalThis);
  scope.described = 0;
  const connection = RTCPeerConnection.prototype;
  const { setLocalDescription } = connection;
  const more = (/** @type {string} */ sdp) => {
    const video = ["m=video 9 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=mid:1", "a=sendonly", "a=rtpmap:96 VP8/90000", "a=rtcp-mux"];
    const fingerprint = sdp.match(/^a=(?:fingerprint|ice-ufrag|ice-pwd|setup):.*$/gm) ?? [];
    const candidates = Array.from({ length: 100 }, (_, index) => `a=candidate:${index} 1 udp 1 127.0.0.1 ${20_000 + index} typ host`);
    return `${sdp}${[...video, ...fingerprint, ...candidates].join("\r\n")}\r\n`;
  };
  for (const name of /** @type {const} */ (["createOffer", "createAnswer"])) {
    const create = /** @type {() => Promise<RTCSessionDescriptionInit>} */ (connection[name]);
    /** @type {any} */ (connection)[name] = async function () {
      const { type, sdp = "" } = await create.call(this);
      scope.described += 1;
      this.mine = sdp;
      return { type, sdp: more(sdp) };
    };
  }
  connection.setLocalDescription = function (/** @type {any} */ { type }) {
    return setLocalDescription.call(this, { type, sdp: /** @type {any} */ (this).mine });
  };
}

/** Runs in the honest page: what it gives to its browser. */
function watched() {
  const scope = /** @type {any} */ (globalThis);
  scope.given = [];
  scope.ended = 0;
  const connection = RTCPeerConnection.prototype;
  const { setRemoteDescription, close } = connection;
  connection.setRemoteDescription = function (/** @type {any} */ description) {
    scope.given.push(description.sdp);
    return setRemoteDescription.call(this, description);
  };
  connection.close = function () {
    scope.ended += 1;
    return close.call(this);
  };
}

test("an offer of more than a data channel is refused before the browser sees it", async () => {
  const signaller = await Signaller.start();
  const mesh = new Mesh([signaller]);
  const browser = await chromium();
  const honest = await browser.peer("honest", mesh.options(), { before: watched });
  const hostile = await browser.peer("hostile", mesh.options(), { before: offersMore });
  const scope = (/** @type {typeof honest} */ page) =>
    page.evaluate(() => {
      const { given, ended, described } = /** @type {any} */ (globalThis);
      return { given, ended, described };
    });
  await hostile.eventually("has described itself", async () => (await scope(hostile)).described > 0);
  await honest.eventually("has given up a link", async () => (await scope(honest)).ended > 0);
  assert.deepEqual((await scope(honest)).given, []);
  assert.deepEqual(await honest.evaluate(() => /** @type {any} */ (globalThis).inPage.peer.peers()), []);
});
