//! `taiinet blacklist`: the file of the peers that are kept out.

use std::{
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use taiinet::{Blacklisted, PeerId, Time, blacklist};
use taiinet_session::json::snake_case;
use taiinet_terminal as terminal;

use crate::{
    clock,
    exit::{CommandResult, Exit},
    net::NetArgs,
};

/// Add, list and unblock the peers that have no link to ours
///
/// Peers that misbehave get on the list automatically. Of those added by hand documents are refused,
/// too.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  taiinet blacklist add tn1… --for 7d --blacklist black.json
  taiinet blacklist list --json --identity me.key       # the list is me.key.blacklist
  taiinet blacklist unblock tn1… --identity me.key

A peer reads the list when it starts, and writes it when a peer gets on it.")]
pub(crate) struct BlacklistArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Add a peer
    Add {
        /// The peer's name, tn1…
        peer: PeerId,
        /// For how long, like 30min or 7d; until it is unblocked if not given
        #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
        life: Option<Duration>,
    },
    /// List those that are on it
    List {
        /// As JSON, one line each
        #[arg(long)]
        json: bool,
    },
    /// Forgive a peer whatever it did
    #[command(visible_alias = "lift")]
    Unblock {
        /// The peer's name, tn1…
        peer: PeerId,
    },
}

pub(crate) fn run(net: &NetArgs, args: BlacklistArgs) -> CommandResult {
    let Some(path) = net.blacklist() else {
        return Err(Exit::usage("which list? Give --blacklist FILE or --identity FILE"));
    };
    let mut list = blacklist::read(&path).map_err(failed)?;
    let now = clock::now();
    let is_over = |listed: &Blacklisted| listed.until.is_some_and(|until| Time::from(until) <= now);
    match args.action {
        Action::Add { peer, life } => {
            let until = life.map(|life| now.after(life).timestamp());
            list.retain(|listed| listed.peer != peer);
            list.push(Blacklisted::by_hand(peer, until));
            blacklist::write(&path, &list).map_err(failed)
        }
        Action::Unblock { peer } => {
            let before = list.len();
            list.retain(|listed| listed.peer != peer);
            if list.len() == before {
                return Err(Exit::Failed(format!("{peer} is not on {}", path.display())));
            }
            blacklist::write(&path, &list).map_err(failed)
        }
        Action::List { json } => {
            list.retain(|listed| !is_over(listed));
            print(&path, &list, json)
        }
    }
}

fn print(path: &Path, list: &[Blacklisted], json: bool) -> CommandResult {
    let line = |listed: &Blacklisted| match json {
        true => terminal::json(&snake_case::blacklisted(listed).to_string()).into_owned() + "\n",
        false => format!("{} {}\n", listed.peer, describe(listed)),
    };
    terminal::print(&list.iter().map(line).collect::<String>())?;
    if list.is_empty() && !json {
        let path = path.to_string_lossy();
        terminal::say(format_args!("no peer is on {}", terminal::line(&path)));
    }
    Ok(())
}

/// Until when one is listed, and why.
pub(crate) fn describe(listed: &Blacklisted) -> String {
    let until = listed.until.map_or_else(
        || "until it is unblocked".to_owned(),
        |until| {
            let at = UNIX_EPOCH + Duration::from_millis(until.as_millis());
            format!("until {}", humantime::format_rfc3339_seconds(at))
        },
    );
    match listed.misbehaviour {
        Some(what) if listed.times > 1 => format!("{until}: it {what} (time {})", listed.times),
        Some(what) => format!("{until}: it {what}"),
        None => format!("{until}, by hand"),
    }
}

fn failed(error: blacklist::BlacklistFileError) -> Exit {
    Exit::Failed(error.to_string())
}
