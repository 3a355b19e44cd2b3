//! What a user should know while nothing happens.

use std::{io::IsTerminal, time::Duration};

use taiinet::{Disconnect, LinkFailure, LinkState, Status, TaiiNet};
use taiinet_terminal::line;
use tokio::time::timeout;

/// How long nothing may happen before it is explained.
const PATIENCE: Duration = Duration::from_secs(5);

/// Says on stderr why there is no neighbour yet, if it takes long; says it again where it changes.
pub(crate) fn spawn(net: &TaiiNet) {
    let net = net.clone();
    tokio::spawn(async move {
        let mut said = String::new();
        while timeout(PATIENCE, net.connected()).await.is_err() {
            let Ok(status) = net.status().await else { return };
            let hint = why_alone(&status);
            if hint != said {
                anstream::eprintln!("{hint}");
                said = hint;
            }
        }
        if !said.is_empty() && std::io::stderr().is_terminal() {
            anstream::eprintln!("connected");
        }
    });
}

/// Why a peer has no neighbour, in a few lines.
pub(crate) fn why_alone(status: &Status) -> String {
    let mut lines = vec!["no neighbour yet".to_owned()];
    for signaller in &status.signallers {
        let state = match (&signaller.failure, signaller.joined) {
            (_, true) => "joined".to_owned(),
            (Some(cause), false) => {
                format!("{}; {}", line(&cause.to_string()), signaller_next_step(cause))
            }
            (None, false) => "being reached".to_owned(),
        };
        lines.push(format!("  signaller {}: {state}", line(&signaller.url)));
    }
    let dialling = status.links.iter().filter(|link| link.state != LinkState::Active).count();
    if dialling > 0 {
        lines.push(format!("  links being made: {dialling}"));
    }
    for (peer, cause) in &status.failed {
        let (next, cause) = (next_step(cause), cause.to_string());
        lines.push(format!("  peer {}: {}; {next}", peer.short(), line(&cause)));
    }
    let joined = status.signallers.iter().any(|signaller| signaller.joined);
    if joined && dialling == 0 && status.failed.is_empty() {
        lines.push("  nobody else is on this network yet; waiting".to_owned());
    }
    lines.join("\n")
}

/// What happens now, or what can be done, after a link failed.
pub(crate) const fn next_step(cause: &Disconnect) -> &'static str {
    match cause {
        Disconnect::Link(LinkFailure::Unreachable(_)) | Disconnect::DialTimeout => {
            "a firewall or NAT may be between you; others are tried"
        }
        Disconnect::Link(LinkFailure::Transport(_)) => "it is tried again later",
        Disconnect::NoRoute => "it may have left; others are tried",
        Disconnect::Misbehaved(_) => "it is avoided for a while",
        Disconnect::Blacklisted => "`taiinet blacklist lift` would let it in again",
        Disconnect::Refused(_) => "others are tried, and it again later",
        _ => "it is tried again later",
    }
}

const fn signaller_next_step(cause: &Disconnect) -> &'static str {
    match cause {
        Disconnect::Link(_) | Disconnect::DialTimeout => {
            "is it running, and is the address right? Trying again"
        }
        _ => "trying again",
    }
}

#[cfg(test)]
mod tests {
    use taiinet::SignallerStatus;

    use super::*;

    /// What a signaller or a peer answers stands in our lines, and begins none.
    #[test]
    fn what_others_answer_is_shown_and_not_obeyed() {
        let evil = "\u{9b}2J\u{1b}[1A\r\nall is fine\u{202e}\u{7f}";
        let failure = Disconnect::Link(LinkFailure::Transport(evil.to_owned()));
        let signaller = SignallerStatus {
            url: format!("ws://one{evil}"),
            signaller: None,
            joined: false,
            failure: Some(failure),
        };
        let why = why_alone(&Status { signallers: vec![signaller], ..Status::default() });
        let clean =
            why.chars().all(|char| char == '\n' || !char.is_control() && char != '\u{202e}');
        assert!(clean && why.contains("all is fine"), "{why:?}");
        assert_eq!(why.lines().count(), 2, "{why:?}");
    }
}
