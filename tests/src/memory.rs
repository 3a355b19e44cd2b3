//! What a running process holds in memory.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
};

use memchr::memmem;

/// How much memory the process `id` has in RAM, in KiB (proc_pid_status(5)); 0 if it is gone.
pub fn resident(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok());
    number.unwrap_or_default()
}

/// Whether the writable memory of the process `id`, a child of ours, holds these bytes anywhere
/// (proc_pid_mem(5)).
///
/// # Errors
/// [`io::Error`] if it cannot be read.
pub fn memory_holds(id: u32, bytes: &[u8]) -> io::Result<bool> {
    let maps = BufReader::new(File::open(format!("/proc/{id}/maps"))?);
    let mut memory = File::open(format!("/proc/{id}/mem"))?;
    let mut read = 0;
    for line in maps.lines() {
        let line = line?;
        let mut words = line.split_whitespace();
        let (Some(range), Some(rights)) = (words.next(), words.next()) else { continue };
        let Some((from, to)) = range.split_once('-') else { continue };
        let address = |hex: &str| u64::from_str_radix(hex, 16).ok();
        let (Some(from), Some(to)) = (address(from), address(to)) else { continue };
        if !rights.starts_with("rw") {
            continue;
        }
        let mut region = Vec::new();
        memory.seek(SeekFrom::Start(from))?;
        // A part that was given back meanwhile ends the region early.
        let _ = memory.by_ref().take(to - from).read_to_end(&mut region);
        read += region.len();
        if memmem::find(&region, bytes).is_some() {
            return Ok(true);
        }
    }
    if read == 0 {
        return Err(io::Error::other("nothing of it could be read"));
    }
    Ok(false)
}
