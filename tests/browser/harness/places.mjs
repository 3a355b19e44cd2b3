// Where things are on this machine.

import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
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

const BROWSERS = {
  chromium: ["CHROMIUM", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"],
  firefox: ["FIREFOX", "/usr/bin/firefox-esr", "/usr/bin/firefox"],
};

/**
 * The path of a browser, if it is here.
 * @param {"chromium" | "firefox"} name
 */
export function browser(name) {
  const [variable, ...usual] = BROWSERS[name];
  return [process.env[variable], ...usual].find((path) => path && existsSync(path));
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
