//! Installs the packages in a bare Debian, uses them there, and removes them again. It takes root and debootstrap.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    steps::StepOutcome,
    tools::{apt_install, outcome, root, stdout, succeeds},
};

/// What a user would do first.
const USE: &str = include_str!("use.sh");
/// Debian's release, of which is installed what every installation has.
const RELEASE: &str = "bookworm";
/// Written when a bare Debian is whole.
const WHOLE: &str = "var/lib/taiinet-whole";

pub(super) fn run(packages: &[PathBuf]) -> StepOutcome {
    if stdout(Command::new("id").arg("-u")).as_deref() != Some("0") {
        return StepOutcome::Skipped("a bare Debian takes root: run it with sudo".to_owned());
    }
    let checked = bare().and_then(|bare| {
        let place = bare.with_file_name("root");
        let checked = check(&bare, &place, packages);
        let _ = succeeds(Command::new("rm").arg("-rf").arg(&place));
        checked
    });
    checked.map_or_else(StepOutcome::Failed, |()| StepOutcome::Passed)
}

fn check(bare: &Path, place: &Path, packages: &[PathBuf]) -> Result<(), String> {
    let _ = succeeds(Command::new("rm").arg("-rf").arg(place));
    done(Command::new("cp").arg("-a").arg(bare).arg(place))?;
    let before = files(place)?;
    let chroot = |args: &[&str]| {
        let mut command = Command::new("chroot");
        command.arg(place).args(args);
        // What a login there would say.
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C.UTF-8");
        command
    };
    for package in packages {
        let name = package.file_name().unwrap_or_default().to_string_lossy();
        let inside = format!("/tmp/{name}");
        fs::copy(package, place.join(&inside[1..]))
            .map_err(|error| format!("{inside}: {error}"))?;
        done(&mut chroot(&["dpkg", "-i", &inside]))?;
        let _ = fs::remove_file(place.join(&inside[1..]));
    }
    for unit in ["taiinet-node", "taiinet-signaller"] {
        verify(place, unit)?;
    }

    fs::write(place.join("tmp/use.sh"), USE).map_err(|error| error.to_string())?;
    let mut used = Command::new("unshare");
    used.args([
        "--net",
        // What is left running when a step fails ends with it.
        "--pid",
        "--fork",
        "--kill-child",
        "--",
        "sh",
        "-c",
        "ip link set lo up && exec chroot \"$0\" sh /tmp/use.sh",
    ]);
    used.arg(place).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    done(&mut used)?;
    let _ = fs::remove_file(place.join("tmp/use.sh"));

    let names = ["taiinet", "taiinet-signaller"];
    done(&mut chroot(&[&["dpkg", "-r"][..], &names].concat()))?;
    if succeeds(&mut chroot(&["sh", "-c", "command -v taiinet"])) {
        return Err("a removed package leaves its commands".to_owned());
    }
    if !place.join("etc/taiinet/taiinet-node.toml").exists() {
        return Err(
            "a removed package, that was not purged, takes its configuration away".to_owned()
        );
    }
    done(&mut chroot(&[&["dpkg", "-P"][..], &names].concat()))?;
    let after = files(place)?;
    let left: Vec<&String> = after.difference(&before).collect();
    let gone: Vec<&String> = before.difference(&after).collect();
    if left.is_empty() && gone.is_empty() {
        println!("installed, used, removed and purged: nothing is left");
        return Ok(());
    }
    Err(format!("after a purge there is left {left:?}, and gone {gone:?}"))
}

/// What `systemd-analyze` says of an installed unit, where there is one.
fn verify(place: &Path, unit: &str) -> Result<(), String> {
    let folders = ["usr/lib/systemd/system", "lib/systemd/system"];
    let file = format!("{unit}.service");
    let mut found = folders.iter().map(|folder| place.join(folder).join(&file));
    let installed = found.find(|path| path.exists()).ok_or(format!("{file} is not installed"))?;
    if !succeeds(Command::new("systemd-analyze").arg("--version")) {
        println!("there is no systemd-analyze to look at {file}");
        return Ok(());
    }
    // The program is in the other root.
    let text = fs::read_to_string(&installed).map_err(|error| error.to_string())?;
    let program = format!("ExecStart={}/usr/bin/", place.display());
    let here = place.join("tmp").join(&file);
    fs::write(&here, text.replace("ExecStart=/usr/bin/", &program))
        .map_err(|error| error.to_string())?;
    let verified = done(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&here));
    let _ = fs::remove_file(here);
    verified
}

/// A bare Debian, made once.
fn bare() -> Result<PathBuf, String> {
    let folder = root().join("target/package").join(RELEASE);
    if folder.join(WHOLE).exists() {
        return Ok(folder);
    }
    let found = || succeeds(Command::new("debootstrap").arg("--version"));
    let there = found() || (apt_install(&["debootstrap", "iproute2"]) && found());
    if !there {
        return Err("debootstrap is missing: sudo apt-get install debootstrap".to_owned());
    }
    let _ = succeeds(Command::new("rm").arg("-rf").arg(&folder));
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    done(Command::new("debootstrap").args(["--variant=minbase", RELEASE]).arg(&folder))?;
    fs::write(folder.join(WHOLE), "").map_err(|error| error.to_string())?;
    Ok(folder)
}

/// All files and folders, but for what dpkg keeps for itself and what programs may leave anywhere.
fn files(place: &Path) -> Result<BTreeSet<String>, String> {
    let listed =
        stdout(Command::new("find").arg(place).args(["-mindepth", "1", "-printf", "%P\\n"]));
    let listed = listed.ok_or("the files cannot be listed")?;
    let own = ["var/lib/dpkg", "var/log", "var/cache", "tmp", "dev", "proc", "sys", "run"];
    let is_own = |path: &str| own.iter().any(|own| path.starts_with(own));
    Ok(listed.lines().filter(|path| !is_own(path)).map(ToOwned::to_owned).collect())
}

fn done(command: &mut Command) -> Result<(), String> {
    match outcome(command) {
        StepOutcome::Passed => Ok(()),
        StepOutcome::Failed(why) | StepOutcome::Skipped(why) => Err(why),
    }
}
