//! Figures, as lines between the processes and as a table.

use std::{
    collections::BTreeMap,
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

#[derive(Default)]
pub struct Measured(BTreeMap<String, f64>);

impl Measured {
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().filter_map(|line| line.split_once('\t'));
        Self(
            lines
                .filter_map(|(name, figure)| Some((name.to_owned(), figure.parse().ok()?)))
                .collect(),
        )
    }

    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    fn get(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(f64::NAN)
    }
}

pub fn say(name: &str, figure: f64) {
    println!("{name}\t{figure}");
}

/// Microseconds for each of many runs.
pub fn micros<T>(mut run: impl FnMut(u64) -> T) -> f64 {
    black_box(run(0));
    let (start, mut runs) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_millis(500) {
        runs += 1;
        black_box(run(runs));
    }
    start.elapsed().as_secs_f64() * 1e6 / runs as f64
}

/// How many bytes of the disk a file takes.
pub fn on_disk(path: &std::path::Path) -> f64 {
    use std::os::unix::fs::MetadataExt;

    path.metadata().expect("a file").blocks() as f64 * 512.0
}

/// Of this process, in MiB: the most, and now.
pub fn memory(which: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(which)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(f64::NAN)
        / 1024.0
}

/// Bytes that this process had written to disks.
pub fn written() -> f64 {
    let io = fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|bytes| bytes.parse().ok()).unwrap_or(f64::NAN)
}

pub fn print(
    count: usize,
    verify: &Measured,
    redb: &Measured,
    archive: &Measured,
    sqlite: &Measured,
) {
    let size = archive.get("signed");
    println!("{count} documents of {size:.0} bytes signed, in commits of 1,000\n");
    println!("| | archive | bare redb, no index | SQLite | archive to redb | archive to SQLite |");
    println!("|---|---|---|---|---|---|");
    for (title, name, digits) in [
        ("import, documents a second", "rate", 0),
        ("the slowest commit, ms", "slowest", 0),
        ("bytes written a document", "written", 0),
        ("bytes on the disk a document", "disk", 0),
        ("the same, compacted", "compact", 0),
        ("memory at most, MiB", "memory", 0),
        ("opening after a kill, ms", "open", 0),
        ("memory after opening and reading, MiB", "memory open", 0),
        ("by id, µs", "id", 1),
        ("newest 20 of a value, µs", "equal", 0),
        ("newest 20 of an author, µs", "author", 0),
        ("top 20 of a field, µs", "top", 0),
        ("newest 20 of a range (1 in 1,000), µs", "range", 0),
        ("newest 20 of two values (1 in 10,000), µs", "two", 0),
        ("a scan of all, documents a second", "scan", 0),
    ] {
        let (ours, theirs, sql) = (archive.get(name), redb.get(name), sqlite.get(name));
        // What is not measured of one of them is no number.
        let shown = |number: f64, digits: usize| match number.is_nan() {
            true => "–".to_owned(),
            false => format!("{number:.digits$}"),
        };
        let [of_redb, of_sqlite] = [theirs, sql].map(|other| shown(ours / other, 2));
        let [ours, theirs, sql] = [ours, theirs, sql].map(|number| shown(number, digits));
        println!("| {title} | {ours} | {theirs} | {sql} | {of_redb} | {of_sqlite} |");
    }
    println!("\nsignature checks alone: {:.0} a second", verify.get("rate"));
    println!(
        "disk to signed bytes: {:.2}, compacted {:.2}; the footprint that quotas count, to the compacted disk: {:.2}",
        archive.get("disk") / size,
        archive.get("compact") / size,
        archive.get("footprint") / archive.get("compact")
    );
    println!(
        "decoding, admitting and committing beside one core that checks signatures: {:.2} of its time",
        verify.get("rate") / archive.get("rate")
    );
}
