// Key files are read as `taiinet-keys` reads them, however they are laid out, and the page does not stand
// still meanwhile.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Encrypter, armor } from "age-encryption";
import { load } from "./bundle.mjs";

const { seal, unseal } = await load("keyfile.ts");
const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const keys = join(here, "../../../crates/identity/tests/data/keys");
const text = (name) => readFileSync(join(keys, name), "utf8");

const PASSPHRASE = "correct horse";
const SEED = Uint8Array.from({ length: 32 }, () => 7);
/** What the core says of the seed 07…07 (crates/identity: `Seed::from_bytes([7; 32])`). */
const PUBLIC = "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c";
const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const bits = [...bytes(PUBLIC)].map((byte) => byte.toString(2).padStart(8, "0")).join("").padEnd(260, "0");
const NAME = `tn1${bits.match(/.{5}/g).map((five) => LETTERS[Number.parseInt(five, 2)]).join("")}qqqqqq`;
const nameOf = async () => NAME;
const never = async () => assert.fail("the name was asked for without need");

const open = async (file) => Buffer.from(await unseal(file, PASSPHRASE, never)).toString("hex");
const refused = (file, message) => assert.rejects(unseal(file, PASSPHRASE, nameOf), (error) => error.code === "identity" && message.test(error.message));

/** A key file of which a passphrase is tried in a millisecond, and not in a second. */
async function cheap(passphrase) {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  encrypter.setScryptWorkFactor(10);
  return encrypter.encrypt(text("pkcs8.pem"));
}

/** The same key with lines of another length, what stands around them, and around all. */
function laidOut(pem, width, before, after, ends, first, last) {
  const lines = pem.trim().split("\n");
  const body = lines.slice(1, -1).join("").match(new RegExp(`.{1,${width}}`, "g"));
  return first + ends + [lines[0], ...body, lines.at(-1)].map((line) => before + line + after + ends).join("") + last;
}

test("layouts that people and programs leave are read", async () => {
  const expected = await open(text("pkcs8.pem"));
  const sealed = await cheap(PASSPHRASE);
  assert.equal(await open(sealed), expected);
  for (const pem of [text("pkcs8.pem"), armor.encode(sealed)]) {
    for (const layout of [
      [32, "", "", "\n", "", ""],
      [10_000, "", "", "\n", "", ""],
      [64, "", " \t", "\n", "", ""],
      [64, "  ", "", "\n", "", ""],
      [64, "", "", "\r\n", "", ""],
      [64, "", "", "\n\n", "", ""],
      [64, "", "", "\n", "# my key", "\n\n# a note\n"],
      [64, "", "", "\n", "Bag Attributes\n    localKeyID: 01", "end"],
      [64, "", "", "\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", ""],
    ]) {
      const file = laidOut(pem, ...layout);
      assert.equal(await open(file), expected, file);
      assert.equal(await open(Buffer.from(`\ufeff${file}`)), expected, file);
      assert.equal(await open(`\ufeff${file}`), expected, file);
    }
  }
});

/** PKCS#8 around the seed 07…07, by its version and what follows the key. */
function pkcs8(version, after) {
  const body = [0x02, 0x01, version, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20, ...SEED, ...bytes(after)];
  const der = body.length < 0x80 ? [0x30, body.length, ...body] : [0x30, 0x81, body.length, ...body];
  return `-----BEGIN PRIVATE KEY-----\n${Buffer.from(der).toString("base64")}\n-----END PRIVATE KEY-----\n`;
}

test("all forms of PKCS#8 that programs write are read, and a public key that does not belong is refused", async () => {
  const other = PUBLIC.replace("ea", "eb");
  for (const version of [0, 1]) {
    for (const after of ["", `812100${PUBLIC}`, `a123032100${PUBLIC}`, "a00430020500", `a00430020500812100${PUBLIC}`, `a00430020500a123032100${PUBLIC}`]) {
      assert.deepEqual(Buffer.from(await unseal(pkcs8(version, after), PASSPHRASE, nameOf)), Buffer.from(SEED), after);
    }
    for (const after of [`812100${other}`, `a123032100${other}`, `812100${PUBLIC.slice(2)}`, `812101${PUBLIC}`, "00", "3000", "81"]) {
      await refused(pkcs8(version, after), /damaged/);
    }
  }
  await refused(pkcs8(2, ""), /damaged/);
});

test("what is no key file is named with what to do", async () => {
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text("pkcs8.pem"), "utf16le")]);
  for (const [file, message] of [
    ["", /no private key/],
    ["no key file", /no private key/],
    [utf16, /UTF-16; save it as UTF-8/],
    [text("pkcs8.pem") + text("pkcs8.pem"), /several private keys/],
    [text("pkcs8.pem").replace("-----END", "-----"), /damaged|several/],
    [text("pkcs8-passphrase.pem"), /openssl pkey -in FILE -out PLAIN/],
    [text("pkcs8-x25519.pem"), /no Ed25519 key/],
    [text("openssh"), /OPENSSH PRIVATE KEY.*taiinet-keys import/],
    [text("rsa.pem"), /RSA|Ed25519/],
    [await cheap("another"), /passphrase may be wrong/],
  ]) {
    await refused(file, message);
  }
});

/** The longest time in which no timer came while something was done, and how long that took. */
async function longestGap(act) {
  const start = performance.now();
  let last = start;
  let longest = 0;
  const look = () => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  };
  const timer = setInterval(look, 1);
  try {
    const result = await act();
    look();
    return { result, longest, whole: performance.now() - start };
  } finally {
    clearInterval(timer);
  }
}

test("a key survives the way there and back, and timers come all the while", async () => {
  const seed = new Uint8Array(32).map((_, at) => at);
  const sealed = await longestGap(() => seal(seed, "a passphrase"));
  const opened = await longestGap(() => unseal(sealed.result, "a passphrase", nameOf));
  assert.deepEqual(opened.result, seed);
  for (const { longest, whole } of [sealed, opened]) assert.ok(longest < whole / 4, `${longest} of ${whole} ms`);
  await assert.rejects(unseal(sealed.result, "another", nameOf), { code: "identity", message: /passphrase may be wrong/ });
});
