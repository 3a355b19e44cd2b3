//! Each fuzz target over its corpus, and for a while over mutations of it: the same ones everywhere.
//!
//! `TAIINET_FUZZ_MILLIS` says for how long each, `TAIINET_FUZZ_SEED` where the mutations begin. What fails
//! is written to `target/fuzz/TARGET`; kept in `audits/fuzz/corpus/TARGET` it is tried for ever.

use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use taiinet_audits::fuzz::{self, Mutator, Target};

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target.name);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("each target has a corpus")
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.sort();
    files.iter().map(|file| fs::read(file).expect("a file")).collect()
}

fn run(target: &Target, input: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_err() {
        let name = target.name;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz").join(name);
        let file = folder.join(format!("{:016x}", hash(input)));
        fs::create_dir_all(&folder).and_then(|()| fs::write(&file, input)).expect("written");
        panic!("{name} fails with the input in {}", file.display());
    }
}

fn hash(input: &[u8]) -> u64 {
    input.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn fuzz(name: &str) {
    let target = fuzz::find(name).expect("a target");
    let corpus = corpus(&target);
    assert!(!corpus.is_empty());
    for input in &corpus {
        run(&target, input);
    }
    let until = Instant::now() + Duration::from_millis(number("TAIINET_FUZZ_MILLIS", 800));
    let mut mutator = Mutator::new(number("TAIINET_FUZZ_SEED", 1));
    let mut runs = 0_u64;
    while Instant::now() < until {
        run(&target, &mutator.next(&corpus, target.max_len));
        runs += 1;
    }
    println!("{name}: {} seeds, {runs} mutations", corpus.len());
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            fuzz(stringify!($name));
        })*

        #[test]
        fn each_target_is_run_here_and_by_cargo_fuzz() {
            let names = [$(stringify!($name)),*];
            assert_eq!(fuzz::TARGETS.map(|target| target.name), names);
            let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/Cargo.toml");
            let manifest = fs::read_to_string(manifest).expect("cargo-fuzz's manifest");
            for name in names {
                assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
            }
        }
    };
}

targets! {
    message fragments to_signaller from_signaller binding description session document value json query routing
    sort envelope peer_id signature_file key_file sealed_file forwarded peer pair desk archive
}

/// `TAIINET_BLESS=1` writes the seeds again.
#[test]
fn the_seeds_are_in_the_corpus() {
    for target in fuzz::TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target.name);
        let seeds = fuzz::seeds(target.name);
        assert!(!seeds.is_empty(), "{}", target.name);
        for (index, seed) in seeds.iter().enumerate() {
            let file = folder.join(format!("seed-{index:02}"));
            // A sealed file is random: the first one stays.
            let stays = target.name == "sealed_file" && file.exists();
            if env::var_os("TAIINET_BLESS").is_some() && !stays {
                fs::create_dir_all(&folder).expect("a folder");
                fs::write(&file, seed).expect("written");
            }
            let committed = fs::read(&file).unwrap_or_default();
            assert!(
                *seed == committed || target.name == "sealed_file" && !committed.is_empty(),
                "{} differs: a changed protocol needs TAIINET_BLESS=1",
                file.display()
            );
        }
    }
}
