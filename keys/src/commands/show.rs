//! `taiinet-keys show`

use std::{fmt::Write, path::Path};

use anstyle::Style;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::json;
use taiinet_identity::{PeerId, sealed_file};
use taiinet_terminal::{line as escape, say};

use crate::{
    args::{Show, is_dash},
    failure::Failure,
    files,
    passphrase::Source,
};

const LABEL: Style = Style::new().bold();

pub(crate) fn run(args: &Show) -> Result<(), Failure> {
    let path = &args.subject;
    if let Some(peer_id) = as_peer_id(path)? {
        return if args.json { print_json(&peer_id, None) } else { print_text(&peer_id, None) };
    }
    let source = Source::of(&args.passphrase);
    files::at_most_one_dash(&[Some(path), source.file()])?;
    let key = files::open_key(path, &source)?;
    let file = (!is_dash(path)).then_some((path.as_path(), key.file.is_encrypted()));
    let peer_id = key.identity.peer_id();
    if args.json { print_json(&peer_id, file) } else { print_text(&peer_id, file) }
}

/// What looks like a peer id is one, unless a file is called so.
fn as_peer_id(subject: &Path) -> Result<Option<PeerId>, Failure> {
    let Some(text) = subject.to_str() else { return Ok(None) };
    let looks_like_one = ["tn1", "TN1", "did:key:"].iter().any(|start| text.starts_with(start));
    if !looks_like_one || subject.exists() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|error| {
        Failure::new(format!("{text}: {error}"), "copy it again, whole, from where you have it")
    })
}

/// The public side of a key, and the file (and whether that has a passphrase) it was read from.
pub(crate) fn print_json(peer_id: &PeerId, file: Option<(&Path, bool)>) -> Result<(), Failure> {
    let forms = |bytes: &[u8; 32]| json!({ "hex": hex(bytes), "base64": BASE64.encode(bytes) });
    let mut shown = json!({
        "peer_id": peer_id,
        "did_key": peer_id.to_did_key(),
        "ed25519": forms(peer_id.as_bytes()),
        "x25519": forms(&x25519(peer_id)?),
        "age_recipient": age_recipient(peer_id)?,
    });
    if let Some((path, encrypted)) = file {
        shown["file"] = path.to_string_lossy().into();
        shown["passphrase"] = encrypted.into();
    }
    files::print_json(&shown)
}

fn print_text(peer_id: &PeerId, file: Option<(&Path, bool)>) -> Result<(), Failure> {
    let (x25519, age) = (x25519(peer_id)?, age_recipient(peer_id)?);
    let mut text = String::new();
    let mut line = |label: &str, value: &str| {
        // Writing to memory does not fail.
        let _ = writeln!(text, "{LABEL}{label:8}{LABEL:#} {value}");
    };
    line("peer id", &peer_id.to_string());
    line("did:key", &peer_id.to_did_key());
    line("ed25519", &hex(peer_id.as_bytes()));
    line("x25519", &hex(&x25519));
    line("", &BASE64.encode(x25519));
    line("age", &age);
    if let Some((path, encrypted)) = file {
        let how = if encrypted { "with a passphrase" } else { "without a passphrase" };
        line("file", &format!("{} ({how})", escape(&path.to_string_lossy())));
    }
    files::print(&text)
}

/// Says on standard error what became of a secret.
pub(crate) fn report_written(path: &Path, encrypted: bool) {
    let how = if encrypted {
        "protected by its passphrase: a lost passphrase is a lost key"
    } else {
        "without a passphrase: anyone that can read it has the key"
    };
    say(format_args!("wrote {} ({how})", escape(&path.to_string_lossy())));
}

fn x25519(peer_id: &PeerId) -> Result<[u8; 32], Failure> {
    peer_id.public_key().map(|key| key.to_x25519()).map_err(|_| unusable(peer_id))
}

fn age_recipient(peer_id: &PeerId) -> Result<String, Failure> {
    sealed_file::recipient(peer_id).map_err(|_| unusable(peer_id))
}

fn unusable(peer_id: &PeerId) -> Failure {
    Failure::new(format!("{peer_id}: not a usable key"), "ask its owner for the peer id again")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
