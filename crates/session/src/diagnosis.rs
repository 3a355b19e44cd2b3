//! "Why am I not connected?", in plain words.

use core::time::Duration;

use taiinet_mesh::{
    Disconnect, LinkFailure, LinkState, LinkStatus, SignallerStatus, Status, limits,
    wire::RefusalReason,
};

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
    /// Its clock is so far from that of each signaller that has answered a join that others refuse what it
    /// says.
    ClockIsOff {
        /// How many milliseconds it is ahead; behind, if less than nothing.
        ahead_ms: i64,
        /// The address of the signaller whose clock is nearest.
        url: &'a str,
    },
    /// It knows others, but no link to any could be made.
    NoLink {
        /// What happened with the last.
        cause: &'a Disconnect,
    },
    /// No direct path leads to others, and none of its signallers relays links.
    NoPath {
        /// What happened with the last.
        cause: &'a Disconnect,
    },
    /// It has joined and no other peer has.
    Alone,
}

/// Says how a peer fares.
pub fn diagnose(status: &Status) -> Diagnosis<'_> {
    let active = || status.links.iter().filter(|link| link.state == LinkState::Active);
    // One that is about to be linked directly may have a relayed link besides.
    let is_twin = |one: &&LinkStatus| {
        one.relayed && active().any(|link| link.peer == one.peer && !link.relayed)
    };
    let neighbours = active().filter(|link| !is_twin(link)).count();
    let problem = if let Some(off) = clock_is_off(status) {
        Some(off)
    } else if !status.signallers.iter().any(|signaller| signaller.joined) {
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
        let relays = status.signallers.iter().any(|signaller| signaller.relays);
        Some(match cause {
            // It may be told to make no direct links, and then waits for one that is relayed.
            Disconnect::Link(LinkFailure::Unreachable(_))
            | Disconnect::DialTimeout
            | Disconnect::Refused(RefusalReason::NoRelay)
                if !relays =>
            {
                Problem::NoPath { cause }
            }
            _ => Problem::NoLink { cause },
        })
    } else if status.candidates == 0 {
        Some(Problem::Alone)
    } else {
        None
    };
    Diagnosis { neighbours, problem }
}

/// What to do where a signaller has another key than its address names.
const ANOTHER_KEY: &str = "ask its operator for its key of today; if that is the one in the address, somebody else answers there";

/// What signallers say of our clock. One of them may lie, or be wrong itself: where one agrees with us,
/// nothing is said.
fn clock_is_off(status: &Status) -> Option<Problem<'_>> {
    let told = status.signallers.iter().filter_map(|one| {
        let ahead = one.clock_ahead_ms.or_else(|| one.joined.then_some(0))?;
        Some((ahead, &*one.url))
    });
    let (ahead_ms, url) = told.min_by_key(|(ahead, _)| ahead.unsigned_abs())?;
    let off = Duration::from_millis(ahead_ms.unsigned_abs());
    (off > limits::CLOCK_SKEW).then_some(Problem::ClockIsOff { ahead_ms, url })
}

/// How far this device's clock is from that of the signaller at `url`, for people.
fn clock(ahead_ms: i64, url: &str) -> String {
    let seconds = ahead_ms.unsigned_abs().div_euclid(1000);
    let side = if ahead_ms < 0 { "behind" } else { "ahead of" };
    format!("this device's clock is {seconds} s {side} that of the signaller {url}")
}

impl Diagnosis<'_> {
    /// What is wrong.
    pub fn problem(&self) -> Option<String> {
        let problem = match self.problem.as_ref()? {
            Problem::NoSignaller => "no signaller is named, so nobody can be met".to_owned(),
            Problem::SignallerUnreachable { url, cause } => {
                format!("no signaller can be reached: {url}: {}", what_failed(cause))
            }
            Problem::ClockIsOff { ahead_ms, url } => return Some(clock(*ahead_ms, url)),
            Problem::NoLink { cause } => {
                format!("no link to another peer could be made: {}", what_failed(cause))
            }
            Problem::NoPath { cause } => {
                format!(
                    "no direct path leads to another peer, and no signaller here relays: {cause}"
                )
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
            // A TURN server's quota is no firewall, and what is mistaken knows its cure.
            Problem::NoLink { cause: Disconnect::Link(LinkFailure::Mistaken { cure, .. }) }
            | Problem::SignallerUnreachable {
                cause: Disconnect::Link(LinkFailure::Mistaken { cure, .. }),
                ..
            } => cure.clone(),
            Problem::SignallerUnreachable { cause: Disconnect::AnotherKey { .. }, .. } => {
                ANOTHER_KEY.to_owned()
            }
            Problem::ClockIsOff { .. }
            | Problem::SignallerUnreachable {
                cause: Disconnect::Refused(RefusalReason::Clock), ..
            } => format!(
                "set this device's clock, or tell the signaller's operator if it is right; others refuse what \
                 is dated more than {} s off",
                limits::CLOCK_SKEW.as_secs()
            ),
            Problem::SignallerUnreachable { .. } => {
                "check the address, and that taiinet-signaller runs there; it is tried again by itself"
                    .to_owned()
            }
            Problem::NoLink { .. } => {
                "a firewall may block WebRTC; try another network, or a signaller that offers STUN or TURN"
                    .to_owned()
            }
            Problem::NoPath { .. } => {
                "a firewall may block WebRTC (UDP); try another network, or a signaller that relays links or \
                 offers TURN: its operator starts it with --relay, or with --turn"
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
    let diagnosis = diagnose(status);
    if let Some(Problem::ClockIsOff { ahead_ms, url }) = diagnosis.problem {
        lines.push(format!("  {}; set it", clock(ahead_ms, url)));
    }
    let dialling = status.links.iter().filter(|link| link.state != LinkState::Active).count();
    if dialling > 0 {
        lines.push(format!("  links being made: {dialling}"));
    }
    for (peer, cause) in &status.failed {
        lines.push(format!("  peer {}: {cause}; {}", peer.short(), next_step(cause)));
    }
    if diagnosis.problem == Some(Problem::Alone) {
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
        Disconnect::NoRoute => "it may have left; others are tried",
        Disconnect::Misbehaved(_) => "it is avoided for a while",
        Disconnect::Blacklisted => "`taiinet blacklist unblock` would let it in again",
        Disconnect::Refused(_) | Disconnect::Link(LinkFailure::Mistaken { .. }) => {
            "others are tried, and it again later"
        }
        _ => "it is tried again later",
    }
}

/// What went wrong, without what to do about it.
fn what_failed(cause: &Disconnect) -> String {
    match cause {
        Disconnect::Link(LinkFailure::Mistaken { what, .. }) => what.clone(),
        other => other.to_string(),
    }
}

const fn signaller_next_step(cause: &Disconnect) -> &'static str {
    match cause {
        // It says itself what to do.
        Disconnect::Link(LinkFailure::Mistaken { .. }) => "trying again",
        Disconnect::AnotherKey { .. } => ANOTHER_KEY,
        Disconnect::Refused(RefusalReason::Clock) => "set this device's clock; trying again",
        Disconnect::Link(_) | Disconnect::DialTimeout => {
            "is it running, and is the address right? Trying again"
        }
        _ => "trying again",
    }
}

#[cfg(test)]
mod tests;
