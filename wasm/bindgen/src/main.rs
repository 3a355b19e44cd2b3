//! `taiinet-bindgen IN.wasm OUT_DIR`: what the command `wasm-bindgen --target web` does, without the
//! need to install it in just the version that the lock file has.

use anyhow::{Context, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output] = arguments.as_slice() else {
        bail!("usage: taiinet-bindgen IN.wasm OUT_DIR");
    };
    Bindgen::new()
        .input_path(input)
        .web(true)?
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(output)
        .with_context(|| format!("no bindings could be made of {input}"))
}
