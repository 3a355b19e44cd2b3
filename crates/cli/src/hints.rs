//! What a user should know while nothing happens.

use std::{io::IsTerminal, time::Duration};

use taiinet::{Status, TaiiNet};
use taiinet_session::diagnosis::{self, Problem};
use taiinet_terminal::{line, say};
use tokio::time::timeout;

/// How long nothing may happen before it is explained.
const PATIENCE: Duration = Duration::from_secs(5);

/// Says on stderr why there is no neighbour yet, if it takes long; says it again where it changes. With
/// neighbours, too, that the clock is off: they take nothing that we publish.
pub(crate) fn spawn(net: &TaiiNet) {
    let net = net.clone();
    tokio::spawn(async move {
        let mut said = String::new();
        while timeout(PATIENCE, net.connected()).await.is_err() {
            let Ok(status) = net.status().await else { return };
            let hint = why_alone(&status);
            if hint != said {
                say(&hint);
                said = hint;
            }
        }
        if let Ok(status) = net.status().await
            && let Some(clock) = clock(&status)
        {
            say(format_args!("warning: {clock}"));
        } else if !said.is_empty() && std::io::stderr().is_terminal() {
            say("connected");
        }
    });
}

/// Why a peer has no neighbour, in a few lines. What others wrote in them begins none.
pub(crate) fn why_alone(status: &Status) -> String {
    let lines = diagnosis::why_alone(status);
    lines.iter().map(|text| line(text)).collect::<Vec<_>>().join("\n")
}

/// What is wrong with this device's clock, and what to do about it; none if nothing is.
pub(crate) fn clock(status: &Status) -> Option<String> {
    let diagnosis = diagnosis::diagnose(status);
    diagnosis.problem.as_ref().filter(|one| matches!(one, Problem::ClockIsOff { .. }))?;
    let (problem, advice) = (diagnosis.problem()?, diagnosis.advice("")?);
    Some(format!("{}; {advice}", line(&problem)))
}

#[cfg(test)]
mod tests {
    use taiinet::{Disconnect, LinkFailure, SignallerStatus};

    use super::*;
    use crate::testing::{EVIL, is_harmless};

    /// What a signaller or a peer answers stands in our lines, and begins none.
    #[test]
    fn what_others_answer_is_shown_and_not_obeyed() {
        let failure = Disconnect::Link(LinkFailure::Transport(EVIL.to_owned()));
        let signaller = SignallerStatus {
            url: format!("ws://one{EVIL}"),
            signaller: None,
            joined: false,
            relays: false,
            failure: Some(failure),
            clock_ahead_ms: None,
        };
        let why = why_alone(&Status { signallers: vec![signaller], ..Status::default() });
        assert!(is_harmless(&why) && why.contains("all is fine"), "{why:?}");
        assert_eq!(why.lines().count(), 2, "{why:?}");
    }
}
