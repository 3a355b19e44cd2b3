// Runs a test program that was compiled to WebAssembly: `node wasi.mjs PROGRAM ARGS…`.

import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const [program, ...args] = process.argv.slice(2);
const folder = process.cwd();
const wasi = new WASI({ version: "preview1", args: [program, ...args], env: process.env, preopens: { [folder]: folder, ".": folder } });
const { instance } = await WebAssembly.instantiate(await readFile(program), wasi.getImportObject());
process.exitCode = wasi.start(instance);
