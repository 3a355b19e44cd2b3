//! What is common to the fuzz targets. Their bodies are `taiinet_audits::fuzz`'s.

/// Runs a target once.
pub fn run(name: &str, data: &[u8]) {
    let target = taiinet_audits::fuzz::find(name).expect("a target");
    (target.run)(data);
}
