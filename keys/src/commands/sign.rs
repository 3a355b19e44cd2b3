//! `taiinet-keys sign`

use taiinet_identity::{Domain, keyfile::Access, signature_file::SignatureFile};

use crate::{
    args::{Sign, overwrite},
    failure::Failure,
    files,
    passphrase::Source,
};

pub(crate) fn run(args: &Sign) -> Result<(), Failure> {
    let source = Source::of(&args.passphrase);
    files::at_most_one_dash(&[Some(&args.file), Some(&args.key), source.file()])?;
    let overwrite = overwrite(args.force);
    files::check_target(&args.out, overwrite)?;
    let identity = files::open_key(&args.key, &source)?.identity;
    let hash = files::hash(&args.file)?;
    let file = SignatureFile {
        signer: identity.peer_id(),
        signature: identity.sign_hash(Domain::File, &hash),
    };
    files::write(&args.out, &file.to_string(), overwrite, Access::Everyone)
}
