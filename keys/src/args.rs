//! What can be said on the command line.

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand, ValueEnum};
use taiinet_identity::{
    PeerId,
    keyfile::{Form, Overwrite, WorkFactor},
};

use crate::vanity::Prefix;

/// Make, show, use and protect the keys that peers are known by.
///
/// Passphrases are asked for on the terminal. For scripts: --passphrase-file FILE (its first line),
/// or the environment variable TAIINET_PASSPHRASE.
///
/// No file is overwritten without --force. A pipe or a device is written into and never replaced.
#[derive(Debug, Parser)]
#[command(name = "taiinet-keys", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a new key and write it to a file
    Generate(Generate),
    /// Show the public side of a key file, or of a peer id
    Show(Show),
    /// Sign a file; the signature stands apart from it
    Sign(Sign),
    /// Check who signed a file
    Verify(Verify),
    /// Seal a file so that only some peers can open it
    ///
    /// The sealed file is an age file (age-encryption.org/v1), so `age -r` seals to a peer as well: to
    /// the `age1…` that `taiinet-keys show` prints. It does not say who sealed it; `sign` the file if
    /// that matters.
    #[command(after_help = "Examples:
  taiinet-keys seal --to tn1… letter.txt --out letter.age
  taiinet-keys seal --to tn1… --to tn1… --armor letter.txt
  tar c photos | taiinet-keys seal --to tn1… --out photos.tar.age")]
    Seal(Seal),
    /// Open a file that was sealed to this key
    ///
    /// A file of --out appears only if the whole was verified. Standard output, a pipe or a device
    /// gets each part once that part is verified: if the command then fails (exit code 1), the end is
    /// missing, and what was written before must be discarded.
    #[command(after_help = "Examples:
  taiinet-keys open --identity me.key letter.age --out letter.txt
  taiinet-keys open --identity me.key letter.age
  curl https://example.org/letter.age | taiinet-keys open --identity me.key --out letter.txt")]
    Open(Open),
    /// Set, change or remove the passphrase of a key file
    Passphrase(ChangePassphrase),
    /// Make a key file from an OpenSSH or PKCS#8 private key (Ed25519)
    Import(Import),
    /// Write a key as an OpenSSH or PKCS#8 private key
    Export(Export),
    /// Write a shell's completions to standard output
    #[command(hide = true)]
    Completions(Completions),
    /// Write the manual's pages into a folder
    #[command(hide = true)]
    Man(Man),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Generate {
    /// The key file to write; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
    /// Look for a key whose peer id begins with this behind `tn1`; each letter takes 32 times longer
    #[arg(long, value_name = "PREFIX")]
    pub(crate) vanity: Option<Prefix>,
    /// Print the new key's public side as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// A key file, `-` for standard input, or a peer id (`tn1…` or `did:key:…`)
    #[arg(value_name = "FILE|PEERID")]
    pub(crate) subject: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Sign {
    /// The file to sign; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The key file to sign with
    #[arg(long, value_name = "KEYFILE")]
    pub(crate) key: PathBuf,
    /// Where to write the signature, instead of standard output
    #[arg(long, value_name = "SIGFILE", default_value = "-", hide_default_value = true)]
    pub(crate) out: PathBuf,
    /// Replace the signature file if it exists
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// The file that was signed; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The signature that `sign` made; `-` is standard input
    #[arg(long, value_name = "SIGFILE")]
    pub(crate) signature: PathBuf,
    /// The peer that must have signed it
    #[arg(long, value_name = "PEERID")]
    pub(crate) from: PeerId,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Seal {
    /// The file to seal; without it, or with `-`, standard input
    #[arg(value_name = "FILE", default_value = "-", hide_default_value = true)]
    pub(crate) file: PathBuf,
    /// A peer that can open it (`tn1…` or `did:key:…`); may be given more than once
    #[arg(long, value_name = "PEERID", required = true)]
    pub(crate) to: Vec<PeerId>,
    /// Where to write the sealed file, instead of standard output
    #[arg(long, value_name = "FILE", default_value = "-", hide_default_value = true)]
    pub(crate) out: PathBuf,
    /// Write text instead of bytes, for mails and chats; `open` reads both
    #[arg(long)]
    pub(crate) armor: bool,
    /// Replace the file of --out if it exists
    #[arg(long)]
    pub(crate) force: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Open {
    /// The file to open; without it, or with `-`, standard input
    #[arg(value_name = "FILE", default_value = "-", hide_default_value = true)]
    pub(crate) file: PathBuf,
    /// The key file to open it with
    #[arg(long, visible_alias = "key", value_name = "KEYFILE")]
    pub(crate) identity: PathBuf,
    /// Where to write what is in it, instead of standard output; only you can read the new file
    #[arg(long, value_name = "FILE", default_value = "-", hide_default_value = true)]
    pub(crate) out: PathBuf,
    /// Replace the file of --out if it exists
    #[arg(long)]
    pub(crate) force: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// Which
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ChangePassphrase {
    /// The key file to change
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Take the passphrase off: anyone that can read the file then has the key
    #[arg(long, conflicts_with = "new_passphrase_file")]
    pub(crate) remove: bool,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
    /// Take the new passphrase from the first line of this file (or set TAIINET_NEW_PASSPHRASE)
    #[arg(long, value_name = "FILE")]
    pub(crate) new_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) work: Work,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// The private key to read; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The key file to write; `-` is standard output
    #[arg(long, value_name = "KEYFILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// The key file to read; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The form to write
    #[arg(long, value_enum)]
    pub(crate) format: ExportForm,
    /// The file to write; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportForm {
    /// For ssh, ssh-keygen, ssh-agent; keeps the passphrase
    Openssh,
    /// For OpenSSL and other programs; has no passphrase
    Pkcs8,
}

impl From<ExportForm> for Form {
    fn from(form: ExportForm) -> Self {
        match form {
            ExportForm::Openssh => Self::OpenSsh,
            ExportForm::Pkcs8 => Self::Pkcs8,
        }
    }
}

/// How a file with a secret is written.
#[derive(Debug, clap::Args)]
pub(crate) struct Target {
    /// Write the key unprotected: anyone that can read the file has the key
    #[arg(long)]
    pub(crate) no_passphrase: bool,
    /// Replace the file if it exists
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) work: Work,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Work {
    /// Cost of trying one passphrase, as a power of two (10 to 20; 18 takes about a second and
    /// 256 MiB; one more doubles both)
    #[arg(
        long,
        value_name = "N",
        env = "TAIINET_WORK_FACTOR",
        value_parser = work_factor,
        hide_short_help = true,
        hide_env_values = true,
    )]
    work_factor: Option<WorkFactor>,
}

impl Work {
    pub(crate) fn factor(&self) -> WorkFactor {
        self.work_factor.unwrap_or(WorkFactor::DEFAULT)
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct PassphraseArgs {
    /// Take the passphrase from the first line of this file (or set TAIINET_PASSPHRASE)
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

pub(crate) const fn overwrite(force: bool) -> Overwrite {
    if force { Overwrite::Replace } else { Overwrite::Never }
}

/// Whether a path means standard input or output.
pub(crate) fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Whether a path means standard output. By the other names, too, it is the one that is open already: what
/// others have written into it stays, and nothing else of ours is printed among it.
pub(crate) fn is_stdout(path: &Path) -> bool {
    is_dash(path)
        || ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]
            .iter()
            .any(|name| path == Path::new(name))
}

fn work_factor(text: &str) -> Result<WorkFactor, String> {
    text.parse().ok().and_then(WorkFactor::new).ok_or_else(|| {
        format!("a number from {} to {}", WorkFactor::MIN.log_n(), WorkFactor::MAX.log_n())
    })
}
