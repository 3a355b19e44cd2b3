//! The short form of each scenario stays within its bounds.

use std::path::Path;

use taiinet_sim::scenario::{Changes, Scenario, run};

/// Plays the short form; with `TAIINET_LONG` and no seed given, with three seeds.
fn holds(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("scenarios/{name}.toml"));
    let given = std::env::var("SIM_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = match given {
        Some(seed) => vec![Some(seed)],
        None if std::env::var_os("TAIINET_LONG").is_some() => vec![None, Some(2), Some(3)],
        None => vec![None],
    };
    for seed in seeds {
        let changes = Changes { short: true, seed, peers: None };
        let scenario = Scenario::read(&path, changes).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(scenario.name, name, "a scenario is called as its file");
        let figures = run(&scenario, |_| true).unwrap_or_else(|error| panic!("{name}: {error}"));
        let broken: Vec<String> = figures.broken.iter().map(ToString::to_string).collect();
        assert!(figures.due > 0, "{name}: nothing was due");
        assert!(broken.is_empty(), "{name} with seed {}: {broken:#?}\n{figures:#?}", figures.seed);
    }
}

macro_rules! scenarios {
    ($($test:ident = $name:literal),* $(,)?) => {
        $(#[test]
        fn $test() {
            holds($name);
        })*

        #[test]
        fn every_scenario_is_tested() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let name = entry.expect("an entry").path();
                let name = name.file_stem().expect("a name").to_string_lossy().into_owned();
                assert!([$($name),*].contains(&name.as_str()), "{name}");
            }
        }
    };
}

scenarios! {
    everyone_1k = "everyone-1k",
    everyone_10k = "everyone-10k",
    interest_topics_1pct = "interest-topics-1pct",
    interest_topics_01pct = "interest-topics-01pct",
    interest_ranges_1pct = "interest-ranges-1pct",
    interest_ranges_01pct = "interest-ranges-01pct",
    interest_conjunctions_1pct = "interest-conjunctions-1pct",
    interest_conjunctions_01pct = "interest-conjunctions-01pct",
    interest_log_ranges_01pct = "interest-log-ranges-01pct",
    droppers_20pct = "droppers-20pct",
    interest_droppers_20pct = "interest-droppers-20pct",
    interest_droppers_all_20pct = "interest-droppers-all-20pct",
    interest_rate_1 = "interest-rate-1",
    interest_rate_50 = "interest-rate-50",
    newcomers_1pct = "newcomers-1pct",
    swarm = "swarm",
    interest_from_the_start = "interest-from-the-start",
    death_50pct = "death-50pct",
    death_80pct = "death-80pct",
    churn_10pct = "churn-10pct",
    attack_accomplices = "attack-accomplices",
    attack_accomplices_4to1 = "attack-accomplices-4to1",
    attack_censors = "attack-censors",
    attack_censors_4to1 = "attack-censors-4to1",
    attack_cold_boot = "attack-cold-boot",
    attack_cold_boot_4to1 = "attack-cold-boot-4to1",
    attack_covert_flash = "attack-covert-flash",
    attack_covert_flash_4to1 = "attack-covert-flash-4to1",
    attack_degradation = "attack-degradation",
    attack_degradation_4to1 = "attack-degradation-4to1",
    attack_eclipse = "attack-eclipse",
    attack_eclipse_4to1 = "attack-eclipse-4to1",
    attack_filters_narrow = "attack-filters-narrow",
    attack_filters_narrow_4to1 = "attack-filters-narrow-4to1",
    attack_filters_wide = "attack-filters-wide",
    attack_filters_wide_4to1 = "attack-filters-wide-4to1",
    attack_flash = "attack-flash",
    attack_flash_4to1 = "attack-flash-4to1",
    attack_invalid_floods = "attack-invalid-floods",
    attack_invalid_floods_4to1 = "attack-invalid-floods-4to1",
    attack_network_eclipse = "attack-network-eclipse",
    attack_network_eclipse_4to1 = "attack-network-eclipse-4to1",
    attack_promises = "attack-promises",
    attack_promises_4to1 = "attack-promises-4to1",
    attack_root_hides = "attack-root-hides",
    attack_root_hides_4to1 = "attack-root-hides-4to1",
    attack_root_invents = "attack-root-invents",
    attack_root_invents_4to1 = "attack-root-invents-4to1",
    attack_sybils = "attack-sybils",
    attack_sybils_4to1 = "attack-sybils-4to1",
}
