//! What all of it means: whether there is a path to other peers, and what to do where there is none, or
//! none to some of them.

use taiinet_webrtc::Nat;

use super::{
    finding::{Finding, State},
    report::{Path, Paths, Report},
};

/// What to ask an operator for.
const ASK: &str = "ask the signaller's operator for --relay, or for --turn with a server that answers at port 443, \
                   too; or use another network";

/// The path that is left, for a machine that has joined.
pub(super) fn path(report: &Report) -> Finding {
    let nat = [report.nat.ipv4.kind, report.nat.ipv6.kind];
    let through = through(&report.paths);
    let finding = |state, says: String| Finding::new("path", state, says);
    if !nat.contains(&Nat::Blocked) && nat.iter().all(|nat| !nat.passes_udp()) {
        let says = "no STUN server could be asked, so nobody knows whether UDP comes through";
        return match through {
            Some(through) => finding(State::Good, format!("{says}; links go through {through}")),
            None => finding(State::Note, says.to_owned()).cure(
                "ask the signaller's operator for --stun; peers of this network can link all the same",
            ),
        };
    }
    match (direct(nat), through) {
        (Direct::None, None) => {
            finding(State::Bad, format!("no path to other peers: UDP is blocked, {}", why(&report.paths)))
                .cure(ASK)
        }
        (Direct::None, Some(through)) => {
            finding(State::Note, format!("UDP is blocked: links go through {through}"))
                .cure("another network may let UDP out, which is faster")
        }
        (Direct::ToSome, None) => finding(
            State::Note,
            "a symmetric NAT: direct links to peers that are open or behind a full-cone NAT, and none to the rest"
                .to_owned(),
        )
        .cure(ASK),
        (Direct::ToSome, Some(through)) => finding(
            State::Good,
            format!(
                "a symmetric NAT: direct links to peers that are open or behind a full-cone NAT; to the rest \
                 through {through}"
            ),
        ),
        (Direct::ToMost, None) => finding(
            State::Good,
            "direct links, but for peers behind a symmetric NAT: those take TURN or a relay, and there is none"
                .to_owned(),
        ),
        (Direct::ToMost, Some(through)) => {
            finding(State::Good, format!("direct links; where there are none, through {through}"))
        }
        (Direct::ToAll, _) => {
            finding(State::Good, "direct links: no NAT was seen on the way to the servers".to_owned())
        }
    }
}

/// To whom direct links can be had.
enum Direct {
    ToAll,
    ToMost,
    ToSome,
    None,
}

/// By IPv4, which most peers link by, if UDP passes there; else by IPv6.
fn direct([ipv4, ipv6]: [Nat; 2]) -> Direct {
    match if ipv4.passes_udp() { ipv4 } else { ipv6 } {
        Nat::Open => Direct::ToAll,
        Nat::Cone | Nat::Unknown => Direct::ToMost,
        Nat::Symmetric => Direct::ToSome,
        Nat::Blocked | Nat::Absent | Nat::Unasked => Direct::None,
    }
}

/// What else links can go through.
fn through(paths: &Paths) -> Option<&'static str> {
    match (paths.turn.works(), paths.relay.works()) {
        (true, _) => Some("TURN"),
        (_, true) => Some("the signaller, which relays"),
        _ => None,
    }
}

/// Why nothing else is left.
fn why(paths: &Paths) -> String {
    let turn = match paths.turn {
        Path::Fails => "no TURN server answers",
        _ => "no TURN server is named",
    };
    let relay = match paths.relay {
        Path::Fails => "the signaller's relay does not work",
        _ => "no signaller relays",
    };
    format!("{turn} and {relay}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(ipv4: Nat, ipv6: Nat, turn: Path, relay: Path) -> Finding {
        let mut report = Report::default();
        (report.nat.ipv4.kind, report.nat.ipv6.kind) = (ipv4, ipv6);
        (report.paths.turn, report.paths.relay) = (turn, relay);
        path(&report)
    }

    /// The one thing that must never be called well.
    #[test]
    fn without_any_path_something_must_be_done() {
        for turn in [Path::Missing, Path::Fails] {
            for relay in [Path::Missing, Path::Fails] {
                for ipv6 in [Nat::Blocked, Nat::Absent, Nat::Unasked] {
                    let told = told(Nat::Blocked, ipv6, turn, relay);
                    assert_eq!(told.state, State::Bad, "{told:?}");
                    assert!(told.says.contains("UDP is blocked"), "{told:?}");
                    assert!(told.cure.is_some_and(|cure| cure.contains("--relay")));
                }
            }
        }
        let works = Path::Works { took_ms: None };
        for (turn, relay) in [(works, Path::Missing), (Path::Fails, works)] {
            let told = told(Nat::Blocked, Nat::Absent, turn, relay);
            assert_eq!(told.state, State::Note, "{told:?}");
            assert!(told.says.contains("links go through"), "{told:?}");
        }
    }

    #[test]
    fn a_symmetric_nat_is_told_with_what_it_takes() {
        let without = told(Nat::Symmetric, Nat::Absent, Path::Missing, Path::Missing);
        assert_eq!(without.state, State::Note);
        assert!(without.says.contains("symmetric") && without.cure.is_some(), "{without:?}");
        let with = told(Nat::Symmetric, Nat::Absent, Path::Works { took_ms: None }, Path::Missing);
        assert_eq!(with.state, State::Good);
        assert!(with.says.contains("TURN"), "{with:?}");
        let ipv6 = told(Nat::Blocked, Nat::Open, Path::Missing, Path::Missing);
        assert_eq!(ipv6.state, State::Good, "IPv6 does: {ipv6:?}");
    }

    #[test]
    fn what_nobody_could_find_out_is_no_fault() {
        let unasked = told(Nat::Unasked, Nat::Absent, Path::Missing, Path::Missing);
        assert_eq!(unasked.state, State::Note);
        assert!(unasked.cure.is_some_and(|cure| cure.contains("--stun")));
    }
}
