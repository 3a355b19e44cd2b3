//! "Why am I not connected?", in plain words.

use taiinet_mesh::{Disconnect, LinkFailure, LinkState, SignallerStatus, Status};

/// How a peer fares.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnosis<'a> {
    /// How many neighbours it has.
    pub neighbours: usize,
    /// What is wrong, if anything is.
    pub problem: Option<Problem<'a>>,
}

/// What keeps a peer from being connected, or may do so later.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Problem<'a> {
    /// It was told of no signaller.
    NoSignaller,
    /// None of its signallers has let it join, and this one cannot be reached.
    SignallerUnreachable {
        /// Its address.
        url: &'a str,
        /// What happened when it was tried last.
        cause: &'a Disconnect,
    },
    /// It knows others, but no link to any could be made.
    NoLink {
        /// What happened with the last.
        cause: &'a Disconnect,
    },
    /// It has joined and no other peer has.
    Alone,
}

/// Says how a peer fares.
pub fn diagnose(status: &Status) -> Diagnosis<'_> {
    let neighbours = status.links.iter().filter(|link| link.state == LinkState::Active).count();
    let problem = if !status.signallers.iter().any(|signaller| signaller.joined) {
        let failed = |one: &'_ SignallerStatus| one.failure.is_some();
        match status.signallers.iter().find(|one| failed(one)) {
            _ if status.signallers.is_empty() => Some(Problem::NoSignaller),
            Some(SignallerStatus { url, failure: Some(cause), .. }) => {
                Some(Problem::SignallerUnreachable { url, cause })
            }
            _ => None,
        }
    } else if !status.links.is_empty() {
        None
    } else if let Some((_, cause)) = status.failed.first() {
        Some(Problem::NoLink { cause })
    } else if status.candidates == 0 {
        Some(Problem::Alone)
    } else {
        None
    };
    Diagnosis { neighbours, problem }
}

impl Diagnosis<'_> {
    /// What is wrong.
    pub fn problem(&self) -> Option<String> {
        let problem = match self.problem.as_ref()? {
            Problem::NoSignaller => "no signaller is named, so nobody can be met".to_owned(),
            Problem::SignallerUnreachable { url, cause } => {
                format!("no signaller can be reached: {url}: {cause}")
            }
            Problem::NoLink { cause } => {
                format!("no link to another peer could be made: {cause}")
            }
            Problem::Alone => "nobody else is on this network yet".to_owned(),
        };
        let goes_on = if self.neighbours > 0 { "; the mesh goes on without" } else { "" };
        Some(problem + goes_on)
    }

    /// What to do about it.
    pub fn advice(&self, network: &str) -> Option<String> {
        Some(match self.problem.as_ref()? {
            Problem::NoSignaller => "name a signaller".to_owned(),
            Problem::SignallerUnreachable { .. } => {
                "check the address, and that taiinet-signaller runs there; it is tried again by itself"
                    .to_owned()
            }
            Problem::NoLink { .. } => {
                "a firewall may block WebRTC; try another network, or a signaller that offers STUN or TURN"
                    .to_owned()
            }
            Problem::Alone => format!("open another peer of the network \"{network}\""),
        })
    }
}

/// Why a peer has no neighbour, with all that it tries: a few lines for a terminal. What others wrote
/// stands in them as it is: a caller that prints them sees to it that the terminal does not obey it.
pub fn why_alone(status: &Status) -> Vec<String> {
    let mut lines = vec!["no neighbour yet".to_owned()];
    for signaller in &status.signallers {
        let state = match (&signaller.failure, signaller.joined) {
            (_, true) => "joined".to_owned(),
            (Some(cause), false) => format!("{cause}; {}", signaller_next_step(cause)),
            (None, false) => "being reached".to_owned(),
        };
        lines.push(format!("  signaller {}: {state}", signaller.url));
    }
    let dialling = status.links.iter().filter(|link| link.state != LinkState::Active).count();
    if dialling > 0 {
        lines.push(format!("  links being made: {dialling}"));
    }
    for (peer, cause) in &status.failed {
        lines.push(format!("  peer {}: {cause}; {}", peer.short(), next_step(cause)));
    }
    if diagnose(status).problem == Some(Problem::Alone) {
        lines.push("  nobody else is on this network yet; waiting".to_owned());
    }
    lines
}

/// What happens now, or what can be done, after a link failed.
pub const fn next_step(cause: &Disconnect) -> &'static str {
    match cause {
        Disconnect::Link(LinkFailure::Unreachable(_)) | Disconnect::DialTimeout => {
            "a firewall or NAT may be between you; others are tried"
        }
        Disconnect::Link(LinkFailure::Transport(_)) => "it is tried again later",
        Disconnect::NoRoute => "it may have left; others are tried",
        Disconnect::Misbehaved(_) => "it is avoided for a while",
        Disconnect::Blacklisted => "`taiinet blacklist unblock` would let it in again",
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
mod tests;
