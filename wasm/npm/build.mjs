// Builds dist/ from src/ and from what `cargo xtask wasm` puts into core/. `--fast` does not minify.
//
// The module is as rustc made it: wasm-opt -Oz makes it 9 % smaller as it is, but 6 % larger compressed,
// which is how it travels. Only its -O1 makes it smaller compressed, by 0.7 %.

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { patient, unused } from "./plugins.mjs";

const fast = process.argv.includes("--fast");
const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const dist = join(here, "dist");
const core = join(here, "core/taiinet_wasm_bg.wasm");
/** What the package is to be at most, compressed. */
const AIM = 250 * 1024;

if (!existsSync(core)) {
  console.error("nothing is built, and nothing can be packed, without core/: run `cargo xtask wasm`");
  process.exit(1);
}
rmSync(dist, { recursive: true, force: true });
const run = (name, ...args) => execFileSync(process.execPath, [join(here, "node_modules", name), ...args], { cwd: here, stdio: "inherit" });
run("typescript/bin/tsc", "-p", "tsconfig.json");
await build({
  absWorkingDir: here,
  entryPoints: ["src/index.ts", "src/react.tsx", "src/vue.ts", "src/solid.ts"],
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  platform: "browser",
  external: ["react", "react/jsx-runtime", "vue", "solid-js"],
  chunkNames: "[name]-[hash]",
  minify: !fast,
  legalComments: "none",
  plugins: [patient, unused],
});
copyFileSync(core, join(dist, "taiinet.wasm"));
report();

function report() {
  const brotli = (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length;
  const sizes = readdirSync(dist)
    .filter((name) => /\.(js|wasm)$/.test(name))
    .map((name) => ({ name, bytes: readFileSync(join(dist, name)) }))
    .map(({ name, bytes }) => ({ name, raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotli(bytes) }));
  const kib = (bytes) => (bytes / 1024).toFixed(1).padStart(8);
  const line = ({ name, raw, gzip, brotli }) => console.log(`${name.padEnd(24)} ${kib(raw)} ${kib(gzip)} ${kib(brotli)}`);
  console.log(`${"KiB".padEnd(24)} ${"raw".padStart(8)} ${"gzip".padStart(8)} ${"brotli".padStart(8)}`);
  sizes.forEach(line);
  const sum = (key) => sizes.reduce((all, one) => all + one[key], 0);
  const all = { name: "in all", raw: sum("raw"), gzip: sum("gzip"), brotli: sum("brotli") };
  line(all);
  if (!fast && all.brotli > AIM) console.log(`more than the ${AIM / 1024} KiB aimed at`);
}
