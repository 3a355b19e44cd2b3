// Where things are on this machine.

import { existsSync, readdirSync, statSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The top of the checkout. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const TARGET = resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target");
/** The npm package as it is published. */
export const PACKAGE = process.env.TAIINET_PACKAGE ?? join(ROOT, "wasm/npm/dist");
/** The core with the vectors, as `cargo xtask test wasm` builds it. */
export const VECTORS = join(ROOT, "wasm/npm/vectors");
export const DEMOS = join(ROOT, "wasm/demos");
/** Screenshots and figures of a run. */
export const ARTEFACTS = join(TARGET, "browser-artefacts");

const BIN_DIR = process.env.TAIINET_BIN_DIR ?? join(TARGET, "debug");

/** The path of one of our programs. @param {string} name */
export const program = (name) => join(BIN_DIR, process.platform === "win32" ? `${name}.exe` : name);

/** The programs that the tests run, users' and ours. */
export const PROGRAMS = ["taiinet", "taiinet-signaller", "taiinet-keys", "hostile"];

/** By a variable, or by these names. */
const BROWSERS = {
  chromium: ["CHROMIUM", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
  firefox: ["FIREFOX", "firefox-esr", "firefox"],
};

/**
 * The path of a browser, if it is here.
 * @param {"chromium" | "firefox"} name
 */
export function browser(name) {
  const [variable, ...names] = BROWSERS[name];
  const folders = ["/usr/bin", ...(process.env.PATH ?? "").split(delimiter).filter(Boolean)];
  const usual = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [process.env[variable], ...usual].find((path) => path && existsSync(path));
}

/** What the package is made of. */
const SOURCES = ["wasm/src", "wasm/npm/src", ...["identity", "document", "query", "mesh"].map((name) => `crates/${name}/src`)];

/** The first source that is newer than the package, if one is: then something old would be tested. */
export function newer() {
  const built = statSync(join(PACKAGE, "taiinet.wasm")).mtimeMs;
  const files = SOURCES.flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true }).map((file) => join(folder, String(file))));
  return files.find((file) => /\.(rs|tsx?)$/.test(file) && statSync(join(ROOT, file)).mtimeMs > built);
}

/** What is missing for the tests, each with the one command that brings it. */
export function missing() {
  const faults = [];
  if (!browser("chromium") || !browser("firefox")) {
    faults.push(
      "Chromium and Firefox are needed (or their paths in $CHROMIUM and $FIREFOX): apt-get install --yes chromium firefox-esr",
    );
  }
  const absent = PROGRAMS.filter((name) => !existsSync(program(name)));
  if (absent.length > 0) {
    faults.push(`not built: ${absent.join(", ")} (looked in ${BIN_DIR}): cargo build --workspace --bins`);
  }
  if (!existsSync(join(PACKAGE, "index.js"))) {
    faults.push(`the npm package is not built (${PACKAGE}): cargo xtask wasm`);
  }
  if (!existsSync(join(VECTORS, "taiinet_wasm.js"))) {
    faults.push(`the core with the vectors is not built (${VECTORS}): cargo xtask test wasm`);
  }
  return faults;
}

// As a command: whether there are browsers.
if (process.argv[1] === fileURLToPath(import.meta.url)) process.exit(browser("chromium") && browser("firefox") ? 0 : 1);
