//! The command line, and the file that has the same options.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use clap::{Arg, ArgMatches, Args as _, Command, CommandFactory as _, FromArgMatches as _};
use taiinet_signaller::{limits, server::read_text};

use super::{Asked, Options, Settings};

/// The command, with the defaults in its help. None of its arguments is required, nor has it
/// defaults of clap's: what is not given leaves what the file says.
pub(crate) fn command() -> Command {
    let defaults = toml::Table::try_from(Settings::default()).unwrap_or_default();
    Options::command_for_update()
        .mut_args(|arg| with_default(arg, &defaults))
        .subcommand(Asked::augment_args(Command::new("status")))
}

fn with_default(arg: Arg, defaults: &toml::Table) -> Arg {
    let value = match defaults.get(&arg.get_id().as_str().replace('_', "-")) {
        Some(toml::Value::Array(values)) => values.first(),
        other => other,
    };
    let (Some(value), Some(help)) = (value, arg.get_help()) else { return arg };
    let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let help = format!("{help} [default: {value}]");
    arg.help(help)
}

/// What was given on the command line. What is said there counts on when the file is read anew.
#[derive(Debug, Clone)]
pub(crate) struct Given(ArgMatches);

impl Given {
    pub(crate) const fn new(matches: ArgMatches) -> Self {
        Self(matches)
    }

    /// What is asked of a signaller that runs, if this is to be none itself.
    pub(crate) fn asks(&self) -> Option<Result<Asked, clap::Error>> {
        let (_, matches) = self.0.subcommand()?;
        Some(Asked::from_arg_matches(matches))
    }

    /// The defaults, then the file as it is now, then the command line.
    pub(crate) fn read(&self) -> Result<Options, String> {
        let mut options = Options::default();
        if let Some(file) = self.0.get_one::<PathBuf>("config") {
            options.settings = Settings::of(file)?;
        }
        let mut matches = self.0.clone();
        options.update_from_arg_matches_mut(&mut matches).map_err(|error| error.to_string())?;
        options.settings.check()?;
        Ok(options)
    }
}

impl Settings {
    /// What stands in a file.
    pub(crate) fn of(path: &Path) -> Result<Self, String> {
        let failed = |error: &dyn fmt::Display| format!("{}: {error}", path.display());
        let text = read_text(path, limits::CONFIG_BYTES).map_err(|error| failed(&error))?;
        toml::from_str(&text).map_err(|error| failed(&error))
    }
}

/// Writes the completions or the manual's page, if it was asked for one of them.
pub(crate) fn documents(options: &Options) -> Option<Result<(), String>> {
    if let Some(shell) = options.completions {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut command(), "taiinet-signaller", &mut text);
        let printed = taiinet_terminal::print(&String::from_utf8_lossy(&text));
        return Some(printed.map_err(|error| taiinet_terminal::unwritten(&error)));
    }
    let folder = options.man.as_ref()?;
    let written = clap_mangen::generate_to(command(), folder);
    Some(written.map_err(|error| format!("{}: {error}; name a folder", folder.display())))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_well_formed() {
        super::command().debug_assert();
    }
}
