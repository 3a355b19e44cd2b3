//! The `taiinet` command.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod archive;
mod blacklist;
mod clock;
mod delete;
mod doctor;
mod exit;
mod export;
mod find;
mod folder;
mod hints;
mod identity;
mod import;
mod key;
mod manual;
mod matching;
mod ndjson;
mod net;
mod node;
mod peers;
mod printer;
mod progress;
mod publish;
mod query;
mod report;
mod seed;
mod signed;
mod store;
mod subscribe;
#[cfg(test)]
mod testing;
mod watch;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    exit::{CommandResult, Exit},
    net::NetArgs,
};

/// Publish documents on a peer-to-peer mesh and receive them by query.
#[derive(Debug, Parser)]
#[command(
    name = "taiinet",
    version,
    max_term_width = 100,
    after_help = "Examples:
  taiinet subscribe '{\"type\": \"tweet\"}' --network tweets --signaller ws://127.0.0.1:7700
  echo '{\"type\": \"tweet\", \"text\": \"hello\"}' | \\
    taiinet publish --network tweets --signaller ws://127.0.0.1:7700
  taiinet match '{\"likes\": {\"$gt\": 4}}' tweets.ndjson

Documents are NDJSON on stdin and stdout. RUST_LOG=debug writes a log to stderr.
Exit codes: 0 done, 1 failed, 2 wrong usage."
)]
struct Cli {
    #[command(flatten)]
    net: NetArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Publish(publish::PublishArgs),
    Subscribe(subscribe::SubscribeArgs),
    Watch(watch::WatchArgs),
    Find(find::FindArgs),
    Seed(seed::SeedArgs),
    Archive(archive::ArchiveArgs),
    Import(import::ImportArgs),
    Export(export::ExportArgs),
    Delete(delete::DeleteArgs),
    Peers(peers::PeersArgs),
    Blacklist(blacklist::BlacklistArgs),
    Node(node::NodeArgs),
    Doctor(doctor::DoctorArgs),
    Match(matching::MatchArgs),
    Completions(manual::CompletionsArgs),
    Man(manual::ManArgs),
}

fn main() -> ExitCode {
    let cli: Cli = match taiinet_terminal::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    // A node has a log of its own.
    if !matches!(cli.command, Command::Node(_)) {
        log();
    }
    Exit::code(run(cli))
}

fn log() {
    let filter: Option<Targets> = std::env::var("RUST_LOG").ok().and_then(|log| log.parse().ok());
    // What cannot be logged is lost: to complain of it, on the same stderr, would panic.
    let log = fmt::layer().with_writer(std::io::stderr).log_internal_errors(false);
    tracing_subscriber::registry().with(filter.unwrap_or_default()).with(log).init();
}

fn run(Cli { net, command }: Cli) -> CommandResult {
    match command {
        Command::Match(args) => matching::run(args),
        Command::Publish(args) => on_runtime(publish::run(net, args)),
        Command::Subscribe(args) => on_runtime(subscribe::run(net, args)),
        Command::Watch(args) => on_runtime(watch::run(net, args)),
        Command::Find(args) => on_runtime(find::run(net, args)),
        Command::Seed(args) => on_runtime(seed::run(net, args)),
        Command::Archive(args) => archive::run(&net, args),
        Command::Import(args) => on_runtime(import::run(net, args)),
        Command::Export(args) if args.store.is_some() => export::from_store(&args),
        Command::Export(args) => on_runtime(export::from_network(net, args)),
        Command::Delete(args) => on_runtime(delete::run(net, args)),
        Command::Peers(args) => on_runtime(peers::run(net, args)),
        Command::Blacklist(args) => blacklist::run(&net, args),
        Command::Node(args) => on_runtime(node::run(net, args)),
        Command::Doctor(args) => on_runtime(doctor::run(net, args)),
        Command::Completions(args) => manual::completions(Cli::command(), &args),
        Command::Man(args) => manual::man(Cli::command(), &args),
    }
}

/// Runs a command beside its peer: the command on this thread, the peer on others. Threads of their own
/// read stdin and write documents to stdout, since either may block for ever.
fn on_runtime(command: impl Future<Output = CommandResult>) -> CommandResult {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Exit::Failed(format!("cannot start: {error}")))?;
    let outcome = runtime.block_on(command);
    // A task that does not end would hold us up.
    runtime.shutdown_background();
    outcome
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }

    /// A command may say more of an option that all have, but it is read as theirs as well: clap panics where it is
    /// something else.
    #[test]
    fn what_a_command_calls_like_an_option_of_all_is_of_the_same_kind() {
        let command = super::Cli::command();
        let options = command.get_arguments().filter(|option| option.is_global_set());
        for (option, sub) in
            options.flat_map(|option| command.get_subcommands().map(move |sub| (option, sub)))
        {
            let same = sub.get_arguments().find(|own| own.get_id() == option.get_id());
            let kind = |arg: &clap::Arg| arg.get_value_parser().type_id();
            assert!(
                same.is_none_or(|same| kind(same) == kind(option)),
                "{} of {}",
                option.get_id(),
                sub.get_name()
            );
        }
    }
}
