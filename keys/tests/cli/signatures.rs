//! Signing files and checking them, through the real command.

use crate::common::Folder;

/// A folder with a key, a letter and its signature; and the signer's peer id.
fn signed() -> (Folder, String) {
    let folder = Folder::new();
    let peer_id = folder.generate("me.key");
    folder.write("letter", "dear all\n");
    folder.run(&["sign", "letter", "--key", "me.key", "--out", "letter.sig"]).ok();
    (folder, peer_id)
}

#[test]
fn a_good_signature_is_good() {
    let (folder, peer_id) = signed();
    let verify = ["verify", "letter", "--signature", "letter.sig", "--from", &peer_id];
    let ran = folder.run(&verify);
    assert_eq!(ran.ok(), format!("good signature by {peer_id}\n"));
    let json = folder.run(&[&verify[..], &["--json"]].concat()).ok();
    let json: serde_json::Value = serde_json::from_str(&json).expect("json");
    assert_eq!((&json["valid"], &json["from"]), (&true.into(), &peer_id.clone().into()));

    // The did:key of the signer will do, and so will standard input for either file.
    let shown = folder.run(&["show", &peer_id, "--json"]).ok();
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("json");
    let did = shown["did_key"].as_str().expect("a did:key");
    let (letter, sig) = (folder.read("letter"), folder.read("letter.sig"));
    folder.pipe(&letter, &["verify", "-", "--signature", "letter.sig", "--from", did]).ok();
    folder.pipe(&sig, &["verify", "letter", "--signature", "-", "--from", did]).ok();
    // Signing standard input, to standard output, gives the same: Ed25519 needs no randomness.
    let piped = folder.pipe(&letter, &["sign", "-", "--key", "me.key"]).ok();
    assert_eq!(piped.as_bytes(), sig);
}

#[test]
fn an_altered_file_is_noticed() {
    let (folder, peer_id) = signed();
    let verify = ["verify", "letter", "--signature", "letter.sig", "--from", &peer_id];
    for altered in ["", "dear all", "dear all\n\n", "Dear all\n"] {
        folder.write("letter", altered);
        folder.run(&verify).fails(1, "letter is not what tn1");
        let ran = folder.run(&[&verify[..], &["--json"]].concat());
        let json: serde_json::Value = serde_json::from_str(&ran.out).expect("json");
        assert_eq!((ran.code, &json["valid"]), (Some(1), &false.into()));
    }
}

/// Longer than any buffer, and altered in its last byte only.
#[test]
fn large_files_are_read_to_their_end() {
    let (folder, peer_id) = signed();
    let mut large = vec![7; 3_000_001];
    folder.write("large", &large);
    folder.run(&["sign", "large", "--key", "me.key", "--out", "large.sig"]).ok();
    let verify = ["verify", "large", "--signature", "large.sig", "--from", &peer_id];
    folder.run(&verify).ok();
    large[3_000_000] = 8;
    folder.write("large", &large);
    folder.run(&verify).fails(1, "is not what");
}

#[test]
fn another_signer_is_noticed() {
    let (folder, peer_id) = signed();
    let other = folder.generate("other.key");
    let verify =
        |from: &str| folder.run(&["verify", "letter", "--signature", "letter.sig", "--from", from]);
    verify(&other).fails(1, "was not signed by");
    // Not even if the signature says so.
    let lie = String::from_utf8(folder.read("letter.sig")).expect("text").replace(&peer_id, &other);
    folder.write("letter.sig", lie);
    verify(&other).fails(1, "is not what");
    verify(&peer_id).fails(1, "the signature names");
}

#[test]
fn damaged_signatures_are_named() {
    let (folder, peer_id) = signed();
    let good = String::from_utf8(folder.read("letter.sig")).expect("text");
    let half = &good[..good.len() / 2];
    for (content, said) in [
        (String::new(), "not a signature"),
        (half.to_owned(), "not a signature"),
        ("x".repeat(100_000), "not a signature"),
        (good.replacen('1', "2", 1), "newer form"),
        (good.replacen("signature: ", "signature: !", 1), "not a signature"),
        (good.replacen("signer: tn1", "signer: tn1q", 1), "its signer is damaged"),
    ] {
        folder.write("bad.sig", &content);
        let ran = folder.run(&["verify", "letter", "--signature", "bad.sig", "--from", &peer_id]);
        ran.fails(1, said);
    }
    let ran = folder.run(&["verify", "letter", "--signature", "absent", "--from", &peer_id]);
    ran.fails(1, "absent: cannot be read");
    let ran = folder.run(&["verify", "absent", "--signature", "letter.sig", "--from", &peer_id]);
    ran.fails(1, "absent: cannot be read");
    folder.run(&["sign", "absent", "--key", "me.key"]).fails(1, "absent: cannot be read");
}

/// As editors leave it, and as PowerShell redirects it.
#[test]
fn a_byte_order_mark_is_no_part_of_a_text() {
    let folder = Folder::new();
    let peer_id = folder.generate("me.key");
    folder.write("letter", "dear all\n");
    let signature = folder.run(&["sign", "letter", "--key", "me.key"]).ok();
    folder.write("letter.sig", format!("\u{feff}{signature}"));
    let verify = ["verify", "letter", "--signature", "letter.sig", "--from", &peer_id];
    folder.run(&verify).ok();
    let utf_16: Vec<u8> =
        format!("\u{feff}{signature}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    folder.write("letter.sig", &utf_16);
    folder.run(&verify).fails(1, "this is UTF-16; save it as UTF-8");

    let marked = [b"\xef\xbb\xbf", &folder.read("me.key")[..]].concat();
    folder.write("marked.key", marked);
    folder.write("pass", format!("\u{feff}{}\r\n", crate::common::PASSPHRASE));
    let args = ["show", "marked.key", "--passphrase-file", "pass"];
    assert!(folder.run_with("unused", &args).ok().contains(&peer_id));
    let variable = format!("\u{feff}{}", crate::common::PASSPHRASE);
    assert_eq!(folder.peer_id("marked.key", &variable), peer_id);
    folder.write("pass", b"\xff\xfep\0w\0\r\0\n\0");
    folder.run(&args).fails(1, "pass: this is UTF-16; save it as UTF-8");
}
