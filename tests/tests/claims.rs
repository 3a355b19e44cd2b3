//! The table of claims names tests that exist.

use std::{fs, path::Path};

#[test]
fn every_test_that_a_claim_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a folder");
    let claims = fs::read_to_string(root.join("audits/CLAIMS.md")).expect("the claims");
    let (mut tests, mut missing) = (0, Vec::new());
    for row in claims.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        let mut source = String::new();
        for code in row.split('`').skip(1).step_by(2) {
            if code.contains('/') {
                source = fs::read_to_string(root.join(code)).unwrap_or_default();
                if source.is_empty() {
                    missing.push(code.to_owned());
                }
            } else if !source.is_empty() && !code.starts_with('-') {
                tests += 1;
                if !source.contains(&format!("fn {code}(")) {
                    missing.push(code.to_owned());
                }
            }
        }
    }
    assert!(tests > 30, "only {tests} tests are named");
    assert_eq!(missing, [] as [String; 0]);
}
