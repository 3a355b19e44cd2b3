// Runs a test program that was compiled to WebAssembly: `node wasi.mjs PROGRAM ARGS…`.
//
// It runs in a process of its own: Node 20 crashes now and then while it compiles or tears down a large
// module (SIGSEGV, in V8; not in the module, which could at most trap). Then it is tried again; a test
// that fails is not.

import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const TRIES = 4;

async function run([program, ...args]) {
  const folder = process.cwd();
  const wasi = new WASI({ version: "preview1", args: [program, ...args], env: process.env, preopens: { [folder]: folder, ".": folder } });
  const { instance } = await WebAssembly.instantiate(await readFile(program), wasi.getImportObject());
  return wasi.start(instance);
}

function watch(args) {
  const flags = [...process.execArgv, import.meta.filename];
  for (let left = TRIES - 1; ; left -= 1) {
    const { status, signal } = spawnSync(process.execPath, [...flags, "--run", ...args], { stdio: "inherit" });
    if (!signal || left === 0) return status ?? 1;
    console.error(`node itself crashed (${signal}); trying again`);
  }
}

const [first, ...rest] = process.argv.slice(2);
process.exitCode = first === "--run" ? await run(rest) : watch([first, ...rest]);
