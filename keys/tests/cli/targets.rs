//! What `--out` names may be no file.

use std::{
    fs::{self, File},
    os::unix::fs::FileTypeExt,
    process::Command,
    thread::JoinHandle,
};

use crate::common::{Folder, PASSPHRASE};

/// A pipe in the folder.
fn pipe(folder: &Folder) {
    let made = Command::new("mkfifo").arg(folder.path().join("pipe")).status();
    assert!(made.expect("mkfifo is there").success());
}

/// Reads it to its end.
fn reader(folder: &Folder) -> JoinHandle<Vec<u8>> {
    let path = folder.path().join("pipe");
    std::thread::spawn(move || fs::read(path).expect("it can be read"))
}

#[track_caller]
fn is_pipe(folder: &Folder) {
    let kind = fs::symlink_metadata(folder.path().join("pipe")).expect("it is there").file_type();
    assert!(kind.is_fifo(), "{kind:?}");
}

#[test]
fn all_commands_write_into_a_pipe_with_force_or_without() {
    let folder = Folder::new();
    let peer_id = folder.generate("me.key");
    folder.write("letter", "dear all\n");
    folder.run(&["seal", "letter", "--to", &peer_id, "--out", "letter.age"]).ok();
    pipe(&folder);
    for (args, begins) in [
        (vec!["generate", "--no-passphrase"], "-----BEGIN PRIVATE KEY-----\n"),
        (vec!["import", "me.key"], "-----BEGIN AGE ENCRYPTED FILE-----\n"),
        (vec!["export", "me.key", "--format", "openssh"], "-----BEGIN OPENSSH PRIVATE KEY-----\n"),
        (vec!["sign", "letter", "--key", "me.key"], "taiinet signature 1\n"),
        (vec!["seal", "letter", "--to", &peer_id], "age-encryption.org/v1\n"),
        (vec!["open", "letter.age", "--identity", "me.key"], "dear all\n"),
    ] {
        for force in [&[][..], &["--force"]] {
            let reader = reader(&folder);
            folder.run(&[&args[..], &["--out", "pipe"], force].concat()).ok();
            let got = reader.join().expect("no panic");
            assert!(got.starts_with(begins.as_bytes()), "{args:?}: {got:?}");
            is_pipe(&folder);
        }
    }
    // What is read as a key and written again must be a file.
    folder.run(&["passphrase", "pipe", "--remove"]).fails(2, "only a file can be changed");
    is_pipe(&folder);
}

/// A private one: the system's would be lost if this failed.
#[test]
fn a_device_is_not_replaced() {
    let folder = Folder::new();
    let device = folder.path().join("null");
    let made = Command::new("mknod").arg(&device).args(["c", "1", "3"]).output();
    if !made.is_ok_and(|made| made.status.success()) {
        eprintln!("skipped: only root makes devices");
        return;
    }
    for force in [&[][..], &["--force"]] {
        folder.run(&[&["generate", "--no-passphrase", "--out", "null"], force].concat()).ok();
        let kind = fs::symlink_metadata(&device).expect("it is there").file_type();
        assert!(kind.is_char_device(), "{kind:?}");
    }
}

/// By whatever name, standard output is the one that is open: what stands in it stays.
#[cfg(target_os = "linux")]
#[test]
fn standard_output_by_name_is_standard_output() {
    let folder = Folder::new();
    let peer_id = folder.generate("me.key");
    for (name, force) in
        [("/dev/stdout", None), ("/dev/fd/1", Some("--force")), ("/proc/self/fd/1", None)]
    {
        folder.write("out", "before\n");
        let out = File::options().append(true).open(folder.path().join("out")).expect("open");
        let mut args = vec!["export", "me.key", "--format", "openssh", "--out", name];
        args.extend(force);
        let mut command = folder.command(&args);
        command.env("TAIINET_PASSPHRASE", PASSPHRASE).stdout(out);
        assert!(command.status().expect("it runs").success(), "{name}");
        let text = String::from_utf8(folder.read("out")).expect("text");
        let key = text.strip_prefix("before\n").expect("what was there");
        assert!(key.starts_with("-----BEGIN OPENSSH") && key.ends_with("-----\n"), "{name}: {key}");
        folder.write("key", key);
        assert_eq!(folder.peer_id("key", PASSPHRASE), peer_id);
        folder.run(&["generate", "--out", name, "--json"]).fails(2, "would both go to");
    }
}
