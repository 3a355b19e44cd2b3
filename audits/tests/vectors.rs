//! The vectors in `audits/vectors` are what the code computes.

use std::{fs, path::Path};

/// `TAIINET_BLESS=1 cargo test -p taiinet-audits` writes them again, and the seeds of the fuzz targets.
#[test]
fn the_vectors_are_what_the_code_computes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    for (name, text) in taiinet_audits::vectors::files() {
        let path = folder.join(name);
        if std::env::var_os("TAIINET_BLESS").is_some() {
            fs::write(&path, &text).expect("the file can be written");
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(text == committed, "{name} differs: a changed protocol needs TAIINET_BLESS=1");
    }
}
