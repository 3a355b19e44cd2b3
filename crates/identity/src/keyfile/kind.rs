//! What a file is that is no Ed25519 private key, and what to do with it.
//!
//! Names are fixed words: nothing that a hostile file says reaches the terminal.

use super::{KeyFileError, pem::Block};

const MAKE: &str = "give an Ed25519 key; `taiinet-keys generate --out FILE` makes one";
const PRIVATE: &str = "give the private key that belongs to it";
const PKCS8: &str =
    "write it as plain PKCS#8 first: `openssl pkey -in FILE -out PLAIN`, then import PLAIN";
const OPENSSH: &str = "export it from PuTTYgen as an OpenSSH key, and give that";

const fn wrong(what: &'static str, next: &'static str) -> KeyFileError {
    KeyFileError::WrongKind { what, next }
}

/// Of a file without a private key, the text that it is, and the first PEM block in that, if there is one.
pub(super) fn of(bytes: &[u8], text: &str, block: Option<&Block<'_>>) -> KeyFileError {
    if let Some(block) = block {
        return of_pem(block.label);
    }
    // A DER SEQUENCE.
    if bytes.first() == Some(&0x30) && std::str::from_utf8(bytes).is_err() {
        return wrong(
            "a file in binary form (DER)",
            "write it as PEM first: `openssl pkey -inform DER -in FILE -out PEM`",
        );
    }
    if text.trim().is_empty() {
        return KeyFileError::Empty;
    }
    text.lines().find_map(|line| of_line(line.trim_start())).unwrap_or(KeyFileError::Unrecognised)
}

pub(super) fn of_pem(label: &str) -> KeyFileError {
    match label {
        "ENCRYPTED PRIVATE KEY" => wrong("a PKCS#8 key with a passphrase of its own", PKCS8),
        "PUBLIC KEY" => wrong("a public key", PRIVATE),
        "RSA PRIVATE KEY" | "RSA PUBLIC KEY" => wrong("an RSA key", MAKE),
        "EC PRIVATE KEY" | "EC PARAMETERS" => wrong("an ECDSA key", MAKE),
        "DSA PRIVATE KEY" | "DSA PARAMETERS" => wrong("a DSA key", MAKE),
        "CERTIFICATE" | "TRUSTED CERTIFICATE" | "X509 CERTIFICATE" => wrong("a certificate", MAKE),
        "PGP PRIVATE KEY BLOCK" | "PGP PUBLIC KEY BLOCK" => wrong("an OpenPGP key", MAKE),
        "SSH SIGNATURE" | "PGP SIGNATURE" => wrong("a signature", MAKE),
        _ => wrong("another kind of PEM file", MAKE),
    }
}

fn of_line(line: &str) -> Option<KeyFileError> {
    [
        (
            "ssh-",
            "an OpenSSH public key",
            "give the private one: it has the same name without `.pub`",
        ),
        ("ecdsa-sha2-", "an OpenSSH public key of ECDSA", MAKE),
        ("sk-", "an OpenSSH public key of a security key", MAKE),
        ("---- BEGIN SSH2 PUBLIC KEY", "a public key", PRIVATE),
        ("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY", "a key of SSH Tectia", MAKE),
        ("PuTTY-User-Key-File-", "a PuTTY key", OPENSSH),
        ("AGE-SECRET-KEY-", "an age identity", MAKE),
        ("age1", "an age recipient", PRIVATE),
        ("tn1", "a peer id, which is public", PRIVATE),
        ("did:key:", "a did:key, which is public", PRIVATE),
        ("taiinet signature", "a signature", MAKE),
    ]
    .into_iter()
    .find_map(|(start, what, next)| line.starts_with(start).then_some(wrong(what, next)))
}

pub(super) const fn several() -> KeyFileError {
    wrong("a file with several private keys", "give a file with one of them alone")
}

pub(super) const fn nested() -> KeyFileError {
    wrong("an encrypted file in an encrypted file", "take one off with `age -d`")
}

pub(super) const fn without_passphrase() -> KeyFileError {
    wrong(
        "an age file that no passphrase opens",
        "open it first: `age -d -i IDENTITY -o PLAIN FILE`, or `taiinet-keys open`; then import PLAIN",
    )
}

pub(super) const fn newer_age() -> KeyFileError {
    wrong("an age file of a newer version", "use a newer `taiinet-keys`")
}

pub(super) const fn other_algorithm() -> KeyFileError {
    wrong("the private key of another algorithm", MAKE)
}

pub(super) const fn other_openssh() -> KeyFileError {
    wrong("an OpenSSH key of another algorithm", MAKE)
}
