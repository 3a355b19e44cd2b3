//! `taiinet-keys verify`

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use serde_json::json;
use taiinet_identity::{
    Domain,
    signature_file::{self, SignatureFile},
    text,
};

use crate::{
    args::{Verify, is_dash},
    failure::Failure,
    files,
};

pub(crate) fn run(args: &Verify) -> Result<(), Failure> {
    files::at_most_one_dash(&[Some(&args.file), Some(&args.signature)])?;
    let text = read(&args.signature).map_err(|error| Failure::reading(&args.signature, &error))?;
    let file = args.file.display();
    let refusal = match SignatureFile::parse(&text) {
        Err(malformed) => Some(Failure::new(
            format!("{}: {malformed}", args.signature.display()),
            "ask the signer for the signature again",
        )),
        Ok(signed) if signed.signer != args.from => Some(Failure::new(
            format!(
                "{file} was not signed by {}: the signature names {}",
                args.from, signed.signer
            ),
            "trust it only if you trust that signer, and then name it with --from",
        )),
        Ok(signed) => {
            let hash = files::hash(&args.file)?;
            let valid = args
                .from
                .public_key()
                .and_then(|key| key.verify_hash(Domain::File, &hash, &signed.signature));
            valid.is_err().then(|| {
                Failure::new(
                    format!("{file} is not what {} signed", args.from),
                    "do not use it; get the file and its signature again",
                )
            })
        }
    };
    if args.json {
        let reason = refusal.as_ref().map(Failure::what);
        let valid = refusal.is_none();
        let mut shown =
            json!({ "valid": valid, "from": args.from, "file": args.file.to_string_lossy() });
        if let Some(reason) = reason {
            shown["reason"] = reason.into();
        }
        files::print_json(&shown)?;
        return if valid { Ok(()) } else { Err(Failure::told()) };
    }
    match refusal {
        Some(failure) => Err(failure),
        None => files::print(&format!("good signature by {}\n", args.from)),
    }
}

/// At most a little more than a signature can have.
fn read(path: &Path) -> io::Result<String> {
    let input: Box<dyn Read> =
        if is_dash(path) { Box::new(io::stdin()) } else { Box::new(File::open(path)?) };
    let mut bytes = Vec::new();
    input.take(signature_file::MAX_LEN as u64 + 1).read_to_end(&mut bytes)?;
    Ok(text::utf8(&bytes)?.to_owned())
}
