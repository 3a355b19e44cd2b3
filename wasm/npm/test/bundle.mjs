// The sources as Node can load them, with a core that is ours to play.

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { after } from "node:test";
import { build } from "esbuild";
import { patient } from "../plugins.mjs";

const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;

const core = {
  name: "core",
  setup: (build) => build.onResolve({ filter: /taiinet_wasm_instance\.js$/ }, () => ({ path: join(here, "core.mjs") })),
};

/** The exports of a source file. Each call gives instances of their own, as another tab has them. */
export async function load(name) {
  const outdir = mkdtempSync(join(here, ".bundle-"));
  after(() => rmSync(outdir, { recursive: true, force: true }));
  await build({
    absWorkingDir: join(here, ".."),
    entryPoints: [`src/${name}`],
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    jsx: "automatic",
    external: ["react", "react/jsx-runtime", "vue", "solid-js"],
    format: "esm",
    target: "es2022",
    plugins: [core, patient],
    logLevel: "error",
  });
  return import(pathToFileURL(join(outdir, name.replace(/\.tsx?$/, ".mjs"))).href);
}
