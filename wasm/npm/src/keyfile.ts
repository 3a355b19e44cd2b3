// Key files, the same that `taiinet-keys` reads and writes: an age file in its text form with a
// passphrase (https://age-encryption.org/v1), and in it a PKCS#8 private key in PEM (RFC 8410).
//
// As RFC 7468 allows, text may stand before and after, and lines may have any length, be empty, or have
// white space at their ends. Loaded only when a key is exported or imported.

import { Decrypter, Encrypter, armor } from "age-encryption";
import { TaiiNetError } from "./errors.js";

/** PKCS#8 of an Ed25519 key (RFC 8410, 7), version 1: the seed follows. */
const PREFIX = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
const FILE_BYTES = 64 * 1024;
const BLOCK = /-----BEGIN ([^-\r\n]+)-----([^-]*)(?:-----END \1-----)?/g;
const AGE = "AGE ENCRYPTED FILE";
const PKCS8 = "PRIVATE KEY";
const CONVERT = "`taiinet-keys import` makes a key file of it";

/** The letters of a peer's name, each for five bits (BIP 173). */
const LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/** The name, `tn1…`, of the peer with this secret key. */
export type NameOf = (seed: Uint8Array) => Promise<string>;

/** What PKCS#8 holds. */
interface Keys {
  seed: Uint8Array<ArrayBuffer>;
  /** Version 2 may say it. */
  publicKey: Uint8Array | undefined;
}

/** Writes a key file. */
export async function seal(seed: Uint8Array, passphrase: string): Promise<string> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  return armor.encode(await encrypter.encrypt(pemOf(seed)));
}

/** Reads a key file, or the bare PEM, which needs no passphrase. The seed that it gives is to be wiped. */
export async function unseal(file: string | Uint8Array, passphrase: string, nameOf: NameOf): Promise<Uint8Array<ArrayBuffer>> {
  if (file.length > FILE_BYTES) throw wrong("the key file is longer than any");
  let sealed: Uint8Array;
  if (typeof file !== "string" && ascii(file.subarray(0, 19)) === "age-encryption.org/") {
    sealed = file;
  } else {
    const { label, bytes } = privateKey(textOf(file));
    if (label === PKCS8) return seedOf(bytes, nameOf);
    sealed = bytes;
  }
  let pem: string;
  try {
    const decrypter = new Decrypter();
    decrypter.addPassphrase(passphrase);
    pem = await decrypter.decrypt(sealed, "text");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw wrong(`the key file does not open: the passphrase may be wrong (${reason}); try again`);
  }
  const { label, bytes } = privateKey(pem);
  if (label !== PKCS8) throw wrong("this is an encrypted file in an encrypted file; take one off with `age -d`");
  return seedOf(bytes, nameOf);
}

/** The seed, if what the file says of its public key is true: of two keys, which would be meant? */
async function seedOf(der: Uint8Array, nameOf: NameOf): Promise<Uint8Array<ArrayBuffer>> {
  const { seed, publicKey } = keysOf(der);
  if (publicKey && !isNameOf(await nameOf(seed), publicKey)) {
    seed.fill(0);
    throw wrong("the key file is damaged: its public key does not belong to its private key; take it from a copy");
  }
  return seed;
}

/** The name of a peer is its public key, and a checksum of six letters. */
function isNameOf(name: string, publicKey: Uint8Array): boolean {
  const bits = (values: Iterable<number>, each: number) => Array.from(values, (value) => value.toString(2).padStart(each, "0")).join("");
  const letters = Array.from(name.slice(3, -6), (letter) => LETTERS.indexOf(letter));
  return bits(letters, 5).startsWith(bits(publicKey, 8));
}

function textOf(file: string | Uint8Array): string {
  if (typeof file === "string") return file;
  const [first, second] = file;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) throw wrong("the key file is UTF-16; save it as UTF-8");
  return new TextDecoder().decode(file);
}

/** The one private key in a text. */
function privateKey(text: string): { label: string; bytes: Uint8Array } {
  const blocks = [...text.matchAll(BLOCK)].map(([whole, label = "", body = ""]) => ({ label, body, isWhole: whole.includes("-----END ") }));
  const keys = blocks.filter(({ label }) => label === AGE || label.endsWith(PKCS8));
  const [block, another] = keys;
  if (another) throw wrong("the file has several private keys; give a file with one of them alone");
  if (!block) throw wrong(`the file holds no private key in PEM, and is no age file; ${CONVERT}, if it is an Ed25519 key`);
  const { label, body, isWhole } = block;
  if (label === "ENCRYPTED PRIVATE KEY") throw wrong("the file is a PKCS#8 key with a passphrase of its own; write it as plain PKCS#8 first: `openssl pkey -in FILE -out PLAIN`");
  if (label !== AGE && label !== PKCS8) throw wrong(`the file holds another kind of private key (${label}); ${CONVERT}, if it is an Ed25519 key`);
  try {
    if (!isWhole) throw new Error("its last line is missing");
    return { label, bytes: bytesOf(atob(body.replace(/\s/g, ""))) };
  } catch {
    throw wrong("the key file is damaged: its text is malformed or cut off; take it from a copy");
  }
}

function pemOf(seed: Uint8Array): string {
  const der = new Uint8Array([...PREFIX, ...seed]);
  const lines = btoa(String.fromCharCode(...der)).replace(/.{64}/g, "$&\n");
  der.fill(0);
  return `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`;
}

/** Takes PKCS#8 apart, which is wiped: versions 1 and 2, with the public key tagged in either way (RFC 5958). */
function keysOf(der: Uint8Array): Keys {
  try {
    const [info, rest] = element(der, 0x30);
    if (rest.length > 0) throw damaged();
    const [version, afterVersion] = element(info, 0x02);
    const [algorithm, afterAlgorithm] = element(afterVersion, 0x30);
    const [privateKey, afterKey] = element(afterAlgorithm, 0x04);
    if (hex(algorithm) !== "06032b6570") throw wrong("the private key in the file is no Ed25519 key; give one that is");
    const [seed, afterSeed] = element(privateKey, 0x04);
    if (version.length !== 1 || (version[0] as number) > 1 || seed.length !== 32 || afterSeed.length > 0) throw damaged();
    const fields = afterKey[0] === 0xa0 ? element(afterKey, 0xa0)[1] : afterKey;
    return { publicKey: publicKeyOf(fields), seed: seed.slice() };
  } finally {
    der.fill(0);
  }
}

/** `[1]`, which is a BIT STRING by itself, or has one in it. */
function publicKeyOf(fields: Uint8Array): Uint8Array | undefined {
  if (fields.length === 0) return undefined;
  const bits = fields[0] === 0xa1 ? element(element(fields, 0xa1)[0], 0x03)[0] : element(fields, 0x81)[0];
  if (bits.length !== 33 || bits[0] !== 0) throw damaged();
  return bits.slice(1);
}

/** What an element of DER with this tag has in it, and what follows it. */
function element(der: Uint8Array, tag: number): [content: Uint8Array, rest: Uint8Array] {
  // A length of 128 or more takes a byte more; no key is longer than that can say.
  const isLong = der[1] === 0x81;
  const start = isLong ? 3 : 2;
  const length = der[start - 1] ?? 0;
  if (der[0] !== tag || isLong !== length >= 0x80 || start + length > der.length) throw damaged();
  return [der.subarray(start, start + length), der.subarray(start + length)];
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function damaged(): TaiiNetError {
  return wrong("the private key in the file is damaged; take it from a copy");
}

function wrong(message: string): TaiiNetError {
  return new TaiiNetError("identity", message);
}
