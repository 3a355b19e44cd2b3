//! `taiinet-keys import` and `export`: the same key in another form.

use std::path::Path;

use taiinet_identity::keyfile::{self, Access, Form};

use crate::{
    args::{Export, ExportForm, Import, PassphraseArgs, Target, is_stdout, overwrite},
    commands::show,
    failure::Failure,
    files,
    passphrase::Source,
};

pub(crate) fn import(args: &Import) -> Result<(), Failure> {
    convert(&args.file, &args.out, Form::Pkcs8, &args.target, &args.passphrase)
}

pub(crate) fn export(args: &Export) -> Result<(), Failure> {
    // An unprotected secret is written only for a user that says so.
    if args.format == ExportForm::Pkcs8 && !args.target.no_passphrase {
        return Err(Failure::usage(
            "a PKCS#8 file is written without a passphrase",
            "add --no-passphrase if that is what you want, or use --format openssh",
        ));
    }
    convert(&args.file, &args.out, args.format.into(), &args.target, &args.passphrase)
}

/// A passphrase stays the same; where there was none, a new one is asked for.
fn convert(
    from: &Path,
    to: &Path,
    form: Form,
    target: &Target,
    passphrase: &PassphraseArgs,
) -> Result<(), Failure> {
    let source = Source::of(passphrase);
    files::at_most_one_dash(&[Some(from), source.file()])?;
    let overwrite = overwrite(target.force);
    files::check_target(to, overwrite)?;
    let key = files::open_key(from, &source)?;
    let passphrase = match key.passphrase {
        _ if target.no_passphrase => None,
        Some(passphrase) => Some(passphrase.with_work_factor(target.work.factor())),
        None => Some(source.new_for(to, target.work.factor())?),
    };
    let text = keyfile::encode(&key.identity, form, passphrase.as_ref())
        .map_err(|error| Failure::of_key(to, &error))?;
    files::write(to, &text, overwrite, Access::OwnerOnly)?;
    if is_stdout(to) {
        return Ok(());
    }
    show::report_written(to, passphrase.is_some());
    files::print(&format!("{}\n", key.identity.peer_id()))
}
