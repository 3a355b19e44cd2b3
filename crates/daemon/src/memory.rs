//! What this process takes.

/// The memory that this process has in RAM, in bytes, where the system tells it in Linux's way.
pub fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn it_is_more_than_a_megabyte_and_less_than_a_machine_has() {
        let bytes = super::resident().expect("Linux tells it");
        assert!((1 << 20..1 << 40).contains(&bytes), "{bytes}");
    }
}
