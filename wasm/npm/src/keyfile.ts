// Key files, the same that `taiinet-keys` reads and writes: an age file in its text form with a
// passphrase (https://age-encryption.org/v1), and in it a PKCS#8 private key in PEM (RFC 8410).
//
// Loaded only when a key is exported or imported.

import { Decrypter, Encrypter, armor } from "age-encryption";
import { TaiiNetError } from "./errors.js";

/** PKCS#8 of an Ed25519 key (RFC 8410, 7): the seed follows. Version 1, and 2 with the public key. */
const PREFIXES = ["302e020100300506032b657004220420", "3051020101300506032b657004220420"].map(bytesOfHex);
const FILE_BYTES = 64 * 1024;
const PEM = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/;

/** Writes a key file. */
export async function seal(seed: Uint8Array, passphrase: string): Promise<string> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  return armor.encode(await encrypter.encrypt(pemOf(seed)));
}

/** Reads a key file, or the bare PEM, which needs no passphrase. */
export async function unseal(file: string | Uint8Array, passphrase: string): Promise<Uint8Array<ArrayBuffer>> {
  if (file.length > FILE_BYTES) throw wrong("the key file is longer than any");
  const text = typeof file === "string" ? file : new TextDecoder().decode(file);
  if (PEM.test(text)) return seedOf(text);
  let pem: string;
  try {
    const sealed = text.trimStart().startsWith("-----BEGIN AGE") ? armor.decode(text) : bytesOf(file);
    const decrypter = new Decrypter();
    decrypter.addPassphrase(passphrase);
    pem = await decrypter.decrypt(sealed, "text");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw wrong(`the key file does not open: the passphrase may be wrong, or it is no age file (${reason})`);
  }
  return seedOf(pem);
}

function pemOf(seed: Uint8Array): string {
  const der = new Uint8Array([...(PREFIXES[0] as Uint8Array), ...seed]);
  const lines = btoa(String.fromCharCode(...der)).replace(/.{64}/g, "$&\n");
  der.fill(0);
  return `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`;
}

function seedOf(pem: string): Uint8Array<ArrayBuffer> {
  const body = PEM.exec(pem)?.[1];
  if (body === undefined) throw wrong("the file holds no PKCS#8 private key in PEM; `taiinet-keys` converts other forms");
  let der: Uint8Array;
  try {
    der = bytesOf(atob(body.replace(/\s/g, "")));
  } catch {
    throw wrong("the private key in the file is damaged");
  }
  const prefix = PREFIXES.find((prefix) => prefix.every((byte, at) => der[at] === byte));
  const seed = prefix && der.slice(prefix.length, prefix.length + 32);
  der.fill(0);
  if (seed?.length !== 32) throw wrong("the private key in the file is no Ed25519 key");
  return seed;
}

function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? Uint8Array.from(text, (letter) => letter.charCodeAt(0)) : text;
}

function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

function wrong(message: string): TaiiNetError {
  return new TaiiNetError("identity", message);
}
