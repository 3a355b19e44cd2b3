//! `taiinet-keys generate`

use rand_core::UnwrapErr;
use taiinet_identity::{
    Identity,
    keyfile::{self, Access, Form},
};

use crate::{
    args::{Generate, is_stdout, overwrite},
    commands::show,
    failure::Failure,
    files,
    passphrase::Source,
    vanity,
};

pub(crate) fn run(args: &Generate) -> Result<(), Failure> {
    if args.json && is_stdout(&args.out) {
        return Err(Failure::usage(
            "--json and the key would both go to standard output",
            "name a file with --out",
        ));
    }
    // Everything that can fail comes before what takes long.
    let overwrite = overwrite(args.target.force);
    files::check_target(&args.out, overwrite)?;
    let passphrase = if args.target.no_passphrase {
        None
    } else {
        let source = Source::of(&args.passphrase);
        Some(source.new_for(&args.out, args.target.work.factor())?)
    };
    let identity = match &args.vanity {
        None => Identity::generate(&mut UnwrapErr(getrandom::SysRng)),
        Some(prefix) => vanity::search(prefix),
    };
    let text = keyfile::encode(&identity, Form::Pkcs8, passphrase.as_ref())
        .map_err(|error| Failure::of_key(&args.out, &error))?;
    files::write(&args.out, &text, overwrite, Access::OwnerOnly)?;

    let peer_id = identity.peer_id();
    if is_stdout(&args.out) {
        taiinet_terminal::say(peer_id);
        return Ok(());
    }
    show::report_written(&args.out, passphrase.is_some());
    if args.json {
        show::print_json(&peer_id, Some((&args.out, passphrase.is_some())))
    } else {
        files::print(&format!("{peer_id}\n"))
    }
}
