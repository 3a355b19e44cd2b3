//! `taiinet-bindgen IN.wasm OUT_DIR`: what the command `wasm-bindgen --target web` does, without the
//! need to install it in just the version that the lock file has.
//!
//! And beside it, as `…_instance.js`, the same bindings as a function that gives new ones each time:
//! those of `--target web` are one for a page, and cannot be made again when the module has trapped.

use std::{fs, path::Path};

use anyhow::{Context, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output] = arguments.as_slice() else {
        bail!("usage: taiinet-bindgen IN.wasm OUT_DIR");
    };
    let failed = || format!("no bindings could be made of {input}");
    bindgen(input).web(true)?.typescript(true).generate(output).with_context(failed)?;
    let made = bindgen(input).no_modules(true)?.generate_output().with_context(failed)?;
    let stem = Path::new(input).file_stem().unwrap_or_default().to_string_lossy();
    let write = |end: &str, text: String| {
        let file = Path::new(output).join(format!("{stem}_instance.{end}"));
        fs::write(&file, text).with_context(|| file.display().to_string())
    };
    write("js", format!("export default () => {{\n{}\nreturn wasm_bindgen;\n}};\n", made.js()))?;
    write(
        "d.ts",
        format!(
            "type Bindings = typeof import(\"./{stem}.js\");\n\
             /** Bindings of their own, to be called once to load the module. */\n\
             export default function instance(): Bindings[\"default\"] & Bindings;\n"
        ),
    )
}

fn bindgen(input: &str) -> Bindgen {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(input).remove_name_section(true).remove_producers_section(true);
    bindgen
}
