//! The table of links.

use std::{fmt::Write, time::Duration};

use anstyle::{AnsiColor, Style};
use taiinet::{Kept, LinkState, LinkStatus, Spreading, Status, TaiiNet, Time, Timestamp};
use taiinet_session::{diagnosis::next_step, json::state_name};
use taiinet_terminal::line;

use crate::{blacklist, clock};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// The status of a peer as a table, ending with a line's end.
pub(crate) fn draw(net: &TaiiNet, status: &Status) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{BOLD}{}{BOLD:#} on {}", net.peer_id(), line(net.network().as_str()));
    let _ = write(&mut text, status, clock::now());
    text
}

fn write(text: &mut String, status: &Status, now: Time) -> std::fmt::Result {
    for signaller in &status.signallers {
        let (style, state) = match (&signaller.failure, signaller.joined) {
            (_, true) if signaller.relays => {
                (AnsiColor::Green.on_default(), "joined; it relays".to_owned())
            }
            (_, true) => (AnsiColor::Green.on_default(), "joined".to_owned()),
            (Some(cause), false) => {
                (AnsiColor::Yellow.on_default(), line(&cause.to_string()).into_owned())
            }
            (None, false) => (DIM, "being reached".to_owned()),
        };
        writeln!(text, "signaller {}: {style}{state}{style:#}", line(&signaller.url))?;
    }
    let counters = &status.counters;
    writeln!(
        text,
        "published {}, received {} ({} more copies), delivered {}, refused {}; {} more peers known",
        counters.published,
        counters.received,
        counters.duplicates,
        counters.delivered,
        counters.rejected.values().sum::<u64>(),
        status.candidates,
    )?;
    let how = match status.spreading {
        Spreading::Flood => "documents go to all peers (flooding)",
        Spreading::Route => "documents go to those that want them (routes)",
    };
    writeln!(
        text,
        "{how}; of those received {} wanted here, {} not, {} of these passed on",
        counters.wanted,
        counters.unwanted(),
        counters.passed_on,
    )?;
    for (count, what) in [
        (counters.left_out, "private subscriptions of others left out, for want of room or time"),
        (counters.unopened, "sealed documents not looked into: too many came at once"),
        (counters.unknown, "documents that only a later version of taiinet can read"),
    ] {
        if count > 0 {
            writeln!(text, "{count} {what}")?;
        }
    }
    writeln!(
        text,
        "{BOLD}{:<10} {:<9} {:<2} {:<4} {:>7} {:>8} {:>8} {:>6} {:>7} {:>6}{BOLD:#}",
        "PEER", "STATE", "BY", "TREE", "RTT", "SENT", "RECEIVED", "COPIES", "REFUSED", "SINCE"
    )?;
    for link in &status.links {
        write_link(text, link, now)?;
    }
    if status.links.is_empty() {
        writeln!(text, "{DIM}no links yet{DIM:#}")?;
    }
    for listed in &status.blacklist {
        let style = AnsiColor::Red.on_default();
        let why = blacklist::describe(listed);
        writeln!(text, "{:<10} {style}blacklisted{style:#} {why}", listed.peer.short())?;
    }
    for (peer, cause) in &status.failed {
        let style = AnsiColor::Yellow.on_default();
        let (next, cause) = (next_step(cause), cause.to_string());
        let cause = line(&cause);
        writeln!(text, "{:<10} {style}{cause}{style:#}; {next}", peer.short())?;
    }
    Ok(())
}

fn write_link(text: &mut String, link: &LinkStatus, now: Time) -> std::fmt::Result {
    let style = match link.state {
        LinkState::Active => AnsiColor::Green.on_default(),
        LinkState::Dialling | LinkState::Handshake => DIM,
    };
    let round_trip = link.round_trip_ms.map_or_else(|| "-".to_owned(), |time| format!("{time} ms"));
    writeln!(
        text,
        "{:<10} {style}{:<9}{style:#} {:<2} {:<4} {round_trip:>7} {:>8} {:>8} {:>6} {:>7} {:>6}",
        link.peer.short(),
        how_far(link),
        if link.incoming { "it" } else { "us" },
        if link.eager { "yes" } else { "-" },
        link.documents_sent,
        link.documents_received,
        link.duplicates,
        link.rejected,
        short(now.since(link.since)),
    )?;
    link.archive.as_ref().map_or(Ok(()), |kept| write_kept(text, kept))
}

/// What an archive says that it keeps: which documents, since when, and by which fields it finds quickly.
fn write_kept(text: &mut String, kept: &Kept) -> std::fmt::Result {
    let what = if kept.queries.is_empty() { "documents" } else { &kept.queries.join(" ") };
    write!(text, "{:<10} {DIM}keeps {}", "", line(what))?;
    if kept.since > Timestamp::default() {
        write!(text, " since {}", clock::written(kept.since))?;
    }
    if !kept.indexed.is_empty() {
        write!(text, ", quickly found by {}", line(&kept.indexed.join(", ")))?;
    }
    writeln!(text, "{DIM:#}")
}

/// How far it is; of one in use, what is unusual about it.
const fn how_far(link: &LinkStatus) -> &'static str {
    match link.state {
        _ if link.dozing => "dozing",
        LinkState::Active if link.relayed => "relayed",
        state => state_name(state),
    }
}

/// A duration in its largest unit.
fn short(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use taiinet::{Counters, Disconnect, LinkFailure, LinkId, PeerId, SignallerStatus};

    use super::*;
    use crate::testing::{EVIL, is_harmless};

    #[test]
    fn it_is_told_how_documents_spread_and_how_many_were_wanted() {
        let counters = Counters { received: 9, wanted: 2, passed_on: 4, ..Counters::default() };
        let status = Status { spreading: Spreading::Route, counters, ..Status::default() };
        let mut text = String::new();
        write(&mut text, &status, Time::default()).expect("a string");
        let told = "(routes); of those received 2 wanted here, 7 not, 4 of these passed on";
        assert!(text.contains(told), "{text}");
    }

    #[test]
    fn what_others_answer_is_shown_and_not_obeyed() {
        let failure = || Disconnect::Link(LinkFailure::Transport(EVIL.to_owned()));
        let signaller = SignallerStatus {
            url: format!("ws://one{EVIL}"),
            signaller: None,
            joined: false,
            relays: false,
            failure: Some(failure()),
            clock_ahead_ms: None,
        };
        let link = LinkStatus {
            link: LinkId::from_raw(1),
            peer: PeerId::from_bytes([8; 32]),
            state: LinkState::Active,
            incoming: true,
            eager: true,
            relayed: false,
            archive: Some(Kept {
                since: Timestamp::from_millis(u64::MAX),
                queries: vec![EVIL.to_owned()],
                indexed: vec![EVIL.to_owned()],
            }),
            dozing: false,
            since: Time::default(),
            round_trip_ms: None,
            documents_sent: 0,
            documents_received: 0,
            duplicates: 0,
            rejected: 0,
            points: 0,
            queued_bytes: 0,
        };
        let status = Status {
            links: vec![link],
            signallers: vec![signaller],
            failed: vec![(PeerId::from_bytes([7; 32]), failure())],
            ..Status::default()
        };
        let mut text = String::new();
        write(&mut text, &status, Time::default()).expect("a string");
        let text = anstream::adapter::strip_str(&text).to_string();
        assert!(is_harmless(&text) && text.contains("all is fine"), "{text:?}");
        assert!(text.contains("since 9999-12-31"), "{text}");
        assert_eq!(text.lines().count(), 7, "{text}");
    }
}
