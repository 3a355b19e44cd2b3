//! `taiinet-keys passphrase`

use taiinet_identity::keyfile::{self, Form, Overwrite};

use crate::{
    args::{ChangePassphrase, is_dash},
    commands::show,
    failure::Failure,
    files,
    passphrase::Source,
};

pub(crate) fn run(args: &ChangePassphrase) -> Result<(), Failure> {
    let path = &args.file;
    let is_special = path.metadata().is_ok_and(|about| !about.is_file() && !about.is_dir());
    if is_dash(path) || is_special {
        return Err(Failure::usage("only a file can be changed", "name the key file"));
    }
    let old = Source::of(&args.passphrase);
    let new = Source::replacement(args.new_passphrase_file.clone());
    files::at_most_one_dash(&[old.file(), new.file()])?;
    let key = files::open_key(path, &old)?;
    if key.file.form() == Form::OpenSsh {
        return Err(Failure::new(
            format!("{}: this is an OpenSSH key", path.display()),
            "change its passphrase with `ssh-keygen -p -f FILE`, or `taiinet-keys import` it first",
        ));
    }
    let passphrase = if args.remove { None } else { Some(new.new_for(path, args.work.factor())?) };
    keyfile::save(path, &key.identity, passphrase.as_ref(), Overwrite::Replace)
        .map_err(|error| Failure::of_key(path, &error))?;
    show::report_written(path, passphrase.is_some());
    Ok(())
}
