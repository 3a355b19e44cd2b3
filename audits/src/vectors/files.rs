//! Signatures of files.

use serde_json::{Value as Json, json};
use taiinet_identity::{Domain, sealed_file, signature_file::SignatureFile};

use crate::fixture::{hex, identity};

pub(super) fn vectors() -> Json {
    let (identity, file) = (identity(1), b"hello\n");
    let signature = identity.sign(Domain::File, file);
    json!({
        "seed": hex(&[1; 32]),
        "file": hex(file),
        "signature_file": SignatureFile { signer: identity.peer_id(), signature }.to_string(),
        "age_recipient": sealed_file::recipient(&identity.peer_id()).expect("a usable key"),
    })
}
