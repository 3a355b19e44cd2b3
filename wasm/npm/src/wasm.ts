// Loads the WebAssembly module, once; and once more when it has trapped.

import instance from "../core/taiinet_wasm_instance.js";
import type { WasmSource } from "./engine.js";
import { TaiiNetError } from "./errors.js";
import { forbidsConnecting, forbidsWasm, origin } from "./policy.js";

export type Bindings = ReturnType<typeof instance>;

let loading: Promise<Bindings> | undefined;
let loaded: Bindings | undefined;

export function loadWasm(source?: WasmSource): Promise<Bindings> {
  loading ??= load(source).catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

/** The module, if it is loaded. */
export function wasmIfLoaded(): Bindings | undefined {
  return loaded;
}

/** A module that has trapped is not fit for use: the next caller gets another. */
export function discardWasm(bindings: Bindings): void {
  if (bindings !== loaded) return;
  loading = undefined;
  loaded = undefined;
}

/** Beside this script. Vite's development server, up to version 7, moves the script alone. */
function scriptUrl(): URL {
  const here = new URL("./taiinet.wasm", import.meta.url);
  const [before, inCache] = import.meta.url.split("/node_modules/.vite/");
  return inCache === undefined ? here : new URL(`${before}/node_modules/taiinet/dist/taiinet.wasm`);
}

async function load(source: WasmSource = scriptUrl()): Promise<Bindings> {
  // Each instance has bindings of its own: what an old one left behind must not call into the new.
  const bindings = instance();
  try {
    await bindings({ module_or_path: source as URL });
  } catch (error) {
    // The browser tells what its policy forbids in a task of its own.
    await new Promise((next) => setTimeout(next));
    throw notLoaded(error, source);
  }
  loaded = bindings;
  return bindings;
}

function notLoaded(error: unknown, source: WasmSource): TaiiNetError {
  const failed = (problem: string, advice: string) => new TaiiNetError("failed", problem, undefined, advice);
  if (forbidsWasm(error)) return failed("this page's Content-Security-Policy forbids WebAssembly", "add 'wasm-unsafe-eval' to its directive script-src");
  const address = typeof source === "string" || source instanceof URL ? new URL(source, globalThis.location?.href) : undefined;
  if (address && forbidsConnecting(address)) {
    return failed(`this page's Content-Security-Policy forbids to load ${address}`, `add ${origin(address)} to its directive connect-src`);
  }
  const reason = error instanceof Error ? error.message : String(error);
  return failed(
    `the WebAssembly module could not be loaded: ${reason}`,
    'see that taiinet.wasm lies beside the script (a bundler may move the script alone: Vite does not with optimizeDeps: { exclude: ["taiinet"] }), or name its address in options.wasm',
  );
}
