// Loads the WebAssembly module, once.

import init, * as bindings from "../core/taiinet_wasm.js";
import type { WasmSource } from "./engine.js";
import { TaiiNetError } from "./errors.js";

export type Bindings = typeof bindings;

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

async function load(source: WasmSource = new URL("./taiinet.wasm", import.meta.url)): Promise<Bindings> {
  try {
    await init({ module_or_path: source as URL });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TaiiNetError(
      "failed",
      `the WebAssembly module could not be loaded: ${reason}; see that taiinet.wasm lies beside the script, or name its address in options.wasm`,
    );
  }
  loaded = bindings;
  return bindings;
}
