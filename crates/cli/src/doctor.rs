//! `taiinet doctor`: what works here, what does not, and what to do about it.

mod checkup;

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use serde_json::json;
use taiinet_terminal as terminal;

use crate::{
    exit::{Exit, Outcome},
    net::{self, NetArgs},
};
use checkup::Checkup;

/// Say what works and what does not: signallers, clock, STUN, direct links, TURN
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  taiinet doctor --signaller wss://signal.example.org
  taiinet doctor --json | jq 'select(.state == \"bad\")'

It makes two peers on this machine, in a network of their own, and links them.
Exit codes: 0 peers can link, 1 something must be done, 2 wrong usage.")]
pub(crate) struct DoctorArgs {
    /// How many seconds each check may take
    #[arg(long, value_name = "SECS", default_value = "10", value_parser = net::seconds)]
    timeout: Duration,
    /// Print {"check": …, "state": "good" | "note" | "bad", "says": …, "do": …}, one a line
    #[arg(long)]
    json: bool,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Good,
    /// Worth knowing; most things work all the same.
    Note,
    Bad,
}

/// What a check has shown.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) check: &'static str,
    pub(crate) state: State,
    pub(crate) says: String,
    /// What to do about it.
    pub(crate) cure: Option<String>,
}

impl Finding {
    pub(crate) const fn new(check: &'static str, state: State, says: String) -> Self {
        Self { check, state, says, cure: None }
    }

    pub(crate) fn cure(self, cure: impl Into<String>) -> Self {
        Self { cure: Some(cure.into()), ..self }
    }

    fn print(&self, json: bool) {
        let Self { check, state, says, cure } = self;
        let (word, mark, color) = match state {
            State::Good => ("good", "✓", AnsiColor::Green),
            State::Note => ("note", "·", AnsiColor::Yellow),
            State::Bad => ("bad", "✗", AnsiColor::Red),
        };
        if json {
            let line = json!({ "check": check, "state": word, "says": says, "do": cure });
            anstream::println!("{}", terminal::json(&line.to_string()));
            return;
        }
        let style = Style::new().fg_color(Some(color.into()));
        anstream::println!("{style}{mark}{style:#} {check:<10} {}", terminal::line(says));
        if let Some(cure) = cure {
            anstream::println!("  {:<10} → {}", "", terminal::line(cure));
        }
    }
}

pub(crate) async fn run(net: NetArgs, args: DoctorArgs) -> Outcome {
    let (report, mut findings) = tokio::sync::mpsc::unbounded_channel();
    let checkup = Checkup::new(&net, args.timeout, report)?;
    let examined = tokio::spawn(checkup.run());
    let mut bad = 0;
    while let Some(finding) = findings.recv().await {
        bad += usize::from(finding.state == State::Bad);
        finding.print(args.json);
    }
    examined.await.map_err(Exit::failed)??;
    match bad {
        0 => Ok(()),
        1 => Err(Exit::failed("one thing does not work")),
        _ => Err(Exit::failed(format!("{bad} things do not work"))),
    }
}
