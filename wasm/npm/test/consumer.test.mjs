// The package as it is packed and installed, for Node's type checker and Node itself; and its size.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { brotliCompressSync } from "node:zlib";

const PACKAGE = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..");
/**
 * KiB, compressed by brotli: what there is, and a little. More needs a reason, and this number changed. The last:
 * live lists (5 in the core), and what archives keep for others and ask each other (17, which pages only refuse);
 * then what archives say that they keep, and who leaves searches without an answer (3).
 */
const MOST = { "taiinet.wasm": 570, "index.js": 18, keyfile: 16, "in all": 608 };
const folder = mkdtempSync(join(tmpdir(), "taiinet-consumer-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const run = (command, ...args) => execFileSync(command, args, { cwd: folder, encoding: "utf8" });

before(() => {
  // Builds it, too: what is published is never older than its sources.
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: PACKAGE, encoding: "utf8" });
  const file = packed.trim().split("\n").at(-1);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }));
  run("npm", "install", "--offline", "--no-audit", "--no-fund", "--legacy-peer-deps", `./${file}`);
  mkdirSync(join(folder, "node_modules/@types"));
  for (const name of ["@types/react", "react", "csstype", "solid-js", "vue", "@vue"]) symlinkSync(join(PACKAGE, "node_modules", name), join(folder, "node_modules", name));
});

test("Node's type checker (nodenext) finds the types, checks them all, and refuses what is wrong", () => {
  const settings = { target: "es2022", module: "nodenext", lib: ["es2022", "dom"], types: [], jsx: "react-jsx", strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: settings, files: ["types.ts", "publish.ts", "common.cts"] }));
  for (const name of ["types.ts", "publish.ts"]) {
    const types = readFileSync(join(PACKAGE, "test/types", name), "utf8");
    // The same as for bundlers, but from the package by its name.
    writeFileSync(join(folder, name), types.replace("../../dist/index.js", "taiinet").replace(/\.\.\/\.\.\/dist\/(react|solid|vue)\.js/g, "taiinet/$1"));
  }
  writeFileSync(join(folder, "common.cts"), 'import type { TaiiNet } from "taiinet" with { "resolution-mode": "import" };\nexport type Peer = TaiiNet;\n');
  run(process.execPath, join(PACKAGE, "node_modules/typescript/bin/tsc"));
});

test("Node loads it, and it holds what it should and nothing else", () => {
  const script = 'import("taiinet").then(({ TaiiNet, TaiiNetError, Subscription }) => console.log(typeof TaiiNet, typeof TaiiNetError, typeof Subscription))';
  assert.equal(run(process.execPath, "--input-type=module", "--eval", script).trim(), "function function function");
  const wasm = run(process.execPath, "--input-type=module", "--eval", 'console.log(import.meta.resolve("taiinet/taiinet.wasm"))');
  assert.match(wasm, /node_modules\/taiinet\/dist\/taiinet\.wasm/);
  const listed = run("find", "node_modules/taiinet/", "-type", "f", "-printf", "%P\n").trim().split("\n");
  for (const name of ["package.json", "README.md", "dist/index.js", "dist/index.d.ts", "dist/react.js", "dist/react.d.ts", "dist/solid.js", "dist/vue.js", "dist/taiinet.wasm"]) assert.ok(listed.includes(name), name);
  const foreign = listed.filter((name) => !/^(package\.json|README\.md|LICENSE.*|dist\/[\w-]+\.(js|d\.ts|wasm))$/.test(name));
  assert.deepEqual(foreign, []);
});

test("it is not larger than it has reason to be", (t) => {
  const dist = join(folder, "node_modules/taiinet/dist");
  const sizes = { "in all": 0 };
  for (const name of readdirSync(dist).filter((name) => /\.(js|wasm)$/.test(name))) {
    const size = brotliCompressSync(readFileSync(join(dist, name))).length / 1024;
    sizes[name.replace(/-\w+\.js$/, "")] = size;
    sizes["in all"] += size;
  }
  t.diagnostic(JSON.stringify(sizes));
  for (const [name, most] of Object.entries(MOST)) assert.ok(sizes[name] <= most, `${name}: ${sizes[name]} KiB compressed, more than ${most}`);
});
