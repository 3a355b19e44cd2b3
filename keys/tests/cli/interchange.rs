//! The same key in the forms of other programs.

use std::process::Command;

use crate::common::{Folder, PASSPHRASE, fixture_text, has, ran};

/// The peer ids of the committed keys, from what OpenSSL and OpenSSH say their public keys are.
const PKCS8: &str = "73c09005abbc77e35d675d9370e11e2569161edd2fb89adcaf6ff91f417a230e";
const OPENSSH: &str = "b5b3e54060e4d6cc332d2117d279473548029d11d49329183b957f20925adf4b";
const OPENSSH_PASSPHRASE: &str = "4d3d63da148d5cc2bc2ed1ac3849ab615379ebf49ed603333c2bf04983d78916";

#[test]
fn imports_keys_of_other_programs() {
    for (name, expected) in [
        ("pkcs8.pem", PKCS8),
        ("openssh", OPENSSH),
        ("openssh-passphrase", OPENSSH_PASSPHRASE),
        ("age.txt", PKCS8),
        ("age-binary.age", PKCS8),
    ] {
        let folder = Folder::new();
        let peer_id = folder.run(&["import", &fixture_text(name), "--out", "me.key"]).ok();
        assert!(folder.read("me.key").starts_with(b"-----BEGIN AGE ENCRYPTED FILE"), "{name}");
        let shown = folder.run(&["show", "me.key", "--json"]).ok();
        let shown: serde_json::Value = serde_json::from_str(&shown).expect("json");
        assert_eq!(shown["ed25519"]["hex"], expected, "{name}");
        assert_eq!(shown["peer_id"], peer_id.trim(), "{name}");
    }
    let folder = Folder::new();
    let said = folder.run(&["import", &fixture_text("pkcs8-passphrase.pem"), "--out", "me.key"]);
    said.fails(1, "openssl pkey -in FILE -out PLAIN");
    assert!(folder.names().is_empty());
}

#[test]
fn import_undoes_export() {
    let folder = Folder::new();
    let peer_id = folder.generate("me.key");
    folder.run(&["export", "me.key", "--format", "openssh", "--out", "id"]).ok();
    folder.run(&["show", "id"]).ok();
    folder.run_with("wrong", &["show", "id"]).fails(1, "does not open");
    let plain = ["--format", "pkcs8", "--no-passphrase", "--out", "plain.pem"];
    folder.run(&[&["export", "me.key"], &plain[..]].concat()).ok();
    let plain = ["--format", "openssh", "--no-passphrase", "--out", "plain"];
    folder.run(&[&["export", "me.key"], &plain[..]].concat()).ok();
    for name in ["id", "plain.pem", "plain"] {
        let imported = folder.run(&["import", name, "--out", "again.key", "--force"]).ok();
        assert_eq!(imported.trim(), peer_id, "{name}");
        assert_eq!(folder.peer_id("again.key", PASSPHRASE), peer_id, "{name}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let file = std::fs::metadata(folder.path().join(name)).expect("a file");
            assert_eq!(file.permissions().mode() & 0o7777, 0o600, "{name}");
        }
    }
    // Through pipes.
    let text = folder.run(&["export", "me.key", "--format", "openssh", "--out", "-"]).ok();
    let piped = folder.pipe(text.as_bytes(), &["import", "-", "--out", "piped.key"]).ok();
    assert_eq!(piped.trim(), peer_id);
}

/// `ssh-keygen` reads ours and we read its, with a passphrase and without.
#[test]
fn agrees_with_ssh_keygen() {
    if !has("ssh-keygen") {
        return;
    }
    let folder = Folder::new();
    let ssh_keygen = |args: &[&str]| {
        let mut command = Command::new("ssh-keygen");
        command.args(args);
        folder.settle(&mut command);
        ran(command.output()).ok()
    };
    let peer_id = folder.generate("me.key");
    for (name, passphrase, more) in
        [("id", PASSPHRASE, None), ("plain", "", Some("--no-passphrase"))]
    {
        let mut args = vec!["export", "me.key", "--format", "openssh", "--out", name];
        args.extend(more);
        folder.run(&args).ok();
        let public = ssh_keygen(&["-y", "-P", passphrase, "-f", name]);
        assert!(
            public.starts_with("ssh-ed25519 ") && public.trim().ends_with(&peer_id),
            "{public}"
        );
        // Its own change of the passphrase keeps the key.
        ssh_keygen(&["-p", "-q", "-P", passphrase, "-N", "second", "-a", "2", "-f", name]);
        assert_eq!(folder.peer_id(name, "second"), peer_id);
    }
    ssh_keygen(&["-q", "-t", "ed25519", "-a", "2", "-N", PASSPHRASE, "-f", "theirs"]);
    let theirs = folder.run(&["import", "theirs", "--out", "theirs.key"]).ok();
    assert_eq!(folder.peer_id("theirs.key", PASSPHRASE), theirs.trim());
}

/// What OpenSSH encrypts with is read, or it is named with what to do.
#[test]
fn all_ciphers_of_ssh_keygen_are_read_but_3des() {
    if !has("ssh-keygen") {
        return;
    }
    let folder = Folder::new();
    for cipher in [
        "aes128-cbc",
        "aes192-cbc",
        "aes256-cbc",
        "aes128-ctr",
        "aes192-ctr",
        "aes256-ctr",
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
        "3des-cbc",
    ] {
        let mut command = Command::new("ssh-keygen");
        let args = ["-q", "-t", "ed25519", "-a", "1", "-Z", cipher, "-N", PASSPHRASE, "-f", cipher];
        folder.settle(command.args(args));
        ran(command.output()).ok();
        let shown = folder.run(&["show", cipher]);
        if cipher == "3des-cbc" {
            shown.fails(1, "encrypted with 3des-cbc, which is not supported");
        } else {
            shown.ok();
            folder.run_with("wrong", &["show", cipher]).fails(1, "does not open");
        }
    }
}

#[test]
fn agrees_with_openssl() {
    if !has("openssl") {
        return;
    }
    let folder = Folder::new();
    folder.generate("me.key");
    let plain = ["--format", "pkcs8", "--no-passphrase", "--out", "plain.pem"];
    folder.run(&[&["export", "me.key"], &plain[..]].concat()).ok();
    let mut command = Command::new("openssl");
    command.args(["pkey", "-in", "plain.pem", "-pubout", "-outform", "DER"]);
    folder.settle(&mut command);
    let output = command.output().expect("openssl runs");
    let public: String =
        output.stdout.iter().rev().take(32).rev().map(|byte| format!("{byte:02x}")).collect();
    let shown = folder.run(&["show", "me.key", "--json"]).ok();
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("json");
    assert_eq!(shown["ed25519"]["hex"], public, "{output:?}");
}
