//! How a signaller is, for a terminal.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    time::{Duration, SystemTime},
};

use anstyle::{AnsiColor, Style};
use taiinet_signaller::{
    DeskView, MemberState, MemberView, NetworkView,
    server::{Report, Share},
};
use taiinet_terminal::line;

use super::ask::Place;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const WELL: Style = AnsiColor::Green.on_default();
const NEAR: Style = AnsiColor::Yellow.on_default();
const OVER: Style = AnsiColor::Red.on_default().bold();

/// A desk that is behind by so much cannot keep up.
const BEHIND_MS: u64 = 5000;
const DAY: u64 = 24 * 3600;

/// All of it, ending with a line's end.
pub(super) fn draw(report: &Report, place: &Place) -> String {
    let mut text = String::new();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    // Writing to a string cannot fail.
    let _ = write(&mut text, report, &place.to_string(), now.as_secs());
    text
}

fn write(text: &mut String, report: &Report, place: &str, now: u64) -> fmt::Result {
    let uptime = humantime::format_duration(Duration::from_secs(report.uptime_s));
    writeln!(
        text,
        "{BOLD}taiinet-signaller {}{BOLD:#} at {}, up {uptime}",
        line(&report.version),
        line(place)
    )?;
    if report.desk_age_ms >= BEHIND_MS {
        let seconds = report.desk_age_ms / 1000;
        writeln!(text, "{OVER}it cannot keep up: these numbers are {seconds} s old{OVER:#}")?;
    }
    row(text, "connections", &share(report.connections, &number))?;
    if let Some(here) = &report.here {
        let DeskView { joined, joining, connecting, .. } = here;
        row(text, "", &format!("{joined} joined, {joining} joining, {connecting} connecting"))?;
    }
    row(text, "handshakes", &share(report.handshakes, &number))?;
    row(text, "waiting", &share(report.waiting_bytes, &bytes))?;
    row(text, "networks", &share(report.networks, &number))?;
    match &report.here {
        Some(here) => networks(text, here, report.networks.now)?,
        None => row(text, "", &format!("{NEAR}too busy to say which{NEAR:#}"))?,
    }
    if let Some(pool) = &report.pool {
        let style = if pool.linked == 0 { NEAR } else { WELL };
        let linked = format!("{style}{} linked{style:#}", pool.linked);
        row(text, "pool", &format!("{linked}; {} peers of others", number(pool.presences)))?;
        for member in report.here.iter().flat_map(|here| &here.members) {
            row(text, "", &member_text(member))?;
        }
        counts(text, "pool refused", &pool.refused)?;
    }
    counts(text, "signals", &report.signals)?;
    counts(text, "turned away", &report.connections_refused)?;
    counts(text, "cut", &report.handshakes_failed)?;
    counts(text, "refused", &report.refused)?;
    if report.blacklisted > 0 {
        row(text, "blacklisted", &number(report.blacklisted))?;
    }
    if let Some(resident) = report.resident_bytes {
        row(text, "memory", &bytes(resident))?;
    }
    if let Some(until) = report.certificate_until {
        row(text, "certificate", &certificate(until, now))?;
    }
    Ok(())
}

fn row(text: &mut String, name: &str, value: &str) -> fmt::Result {
    writeln!(text, "{name:<13} {value}")
}

/// How much there is, how much there may be, and how near the one is to the other.
fn share(share: Share, shown: &dyn Fn(u64) -> String) -> String {
    let Share { now, limit } = share;
    let percent = now.saturating_mul(100) / limit.max(1);
    let style = match percent {
        ..75 => Style::new(),
        75..90 => NEAR,
        90.. => OVER,
    };
    format!("{style}{} of {} ({percent} %){style:#}", shown(now), shown(limit))
}

fn networks(text: &mut String, here: &DeskView, all: u64) -> fmt::Result {
    for NetworkView { peers, name, some } in &here.networks {
        let name = name.as_ref().map_or("", |name| name.as_str());
        let peers = if *peers == 1 {
            "1 peer".to_owned()
        } else {
            format!("{} peers", number(*peers as u64))
        };
        row(text, "", format!("{peers:<14} {}", line(name)).trim_end())?;
        for peer in some {
            row(text, "", &format!("{DIM}  {peer}{DIM:#}"))?;
        }
    }
    let shown = here.networks.len() as u64;
    if all > shown && shown > 0 {
        row(text, "", &format!("{DIM}and {} smaller ones{DIM:#}", number(all - shown)))?;
    }
    Ok(())
}

fn member_text(member: &MemberView) -> String {
    let (style, state) = match member.state {
        MemberState::Dialling => (DIM, "dialling"),
        MemberState::Handshake => (DIM, "handshake"),
        MemberState::Linked => (WELL, "linked"),
        MemberState::Failed => (NEAR, "failed"),
    };
    let since = member.since_s.map_or_else(String::new, |since| {
        format!(" for {}", humantime::format_duration(Duration::from_secs(since)))
    });
    let peer = member.peer.map_or_else(String::new, |peer| format!(" {peer}"));
    let why = member.why.as_ref().map_or_else(String::new, |why| format!(": {}", line(why)));
    format!("{style}{state}{style:#}{since}{peer}{why}")
}

/// Those that there were any of.
fn counts(text: &mut String, name: &str, counts: &BTreeMap<String, u64>) -> fmt::Result {
    let some = counts.iter().filter(|(_, count)| **count > 0);
    let some: Vec<_> =
        some.map(|(reason, count)| format!("{} {}", line(reason), number(*count))).collect();
    if some.is_empty() { Ok(()) } else { row(text, name, &some.join(", ")) }
}

fn certificate(until: u64, now: u64) -> String {
    let days = until.saturating_sub(now) / DAY;
    if until < now {
        return format!("{OVER}expired: renew it, and send SIGHUP{OVER:#}");
    }
    let style = match days {
        ..7 => OVER,
        7..21 => NEAR,
        21.. => WELL,
    };
    format!("{style}good for {days} days{style:#}")
}

/// With a space between thousands.
fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["bytes", "KiB", "MiB", "GiB"];
    let unit = (0..UNITS.len()).rev().find(|unit| bytes >> (10 * unit) > 0).unwrap_or_default();
    let value = bytes as f64 / (1_u64 << (10 * unit)) as f64;
    let digits = usize::from(unit > 0 && value < 10.0);
    format!("{value:.digits$} {}", UNITS.get(unit).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(report: &Report) -> String {
        let mut text = String::new();
        write(&mut text, report, "/run/control", 1_000_000).expect("a string takes all");
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!([0, 999, 1000, 1_234_567].map(number), ["0", "999", "1 000", "1 234 567"]);
        assert_eq!(
            [0, 1023, 1536, 300 << 20].map(bytes),
            ["0 bytes", "1023 bytes", "1.5 KiB", "300 MiB"]
        );
    }

    #[test]
    fn it_shows_how_near_the_limits_are_and_only_what_there_is() {
        let mut report = Report {
            connections: Share { now: 9_500, limit: 10_000 },
            desk_age_ms: 7_000,
            certificate_until: Some(1_000_000 + 6 * DAY),
            ..Report::default()
        };
        report.refused.insert("flood".to_owned(), 3);
        report.refused.insert("joins".to_owned(), 0);
        let text = drawn(&report);
        for line in [
            "connections   9 500 of 10 000 (95 %)",
            "these numbers are 7 s old",
            "too busy to say which",
            "refused       flood 3",
            "certificate   good for 6 days",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("joins") && !text.contains("pool"), "{text}");
        report.certificate_until = Some(999_999);
        assert!(drawn(&report).contains("expired"));
    }

    #[test]
    fn what_others_chose_is_shown_and_not_obeyed() {
        let mut report = Report { version: "1\u{1b}[2J".to_owned(), ..Report::default() };
        report.refused.insert("x\u{1b}]0;y".to_owned(), 1);
        let why = Some("\u{9b}2J".to_owned());
        let member = MemberView { state: MemberState::Failed, since_s: None, peer: None, why };
        let here = DeskView { members: vec![member], ..DeskView::default() };
        report.pool = Some(Default::default());
        report.here = Some(here);
        let mut text = String::new();
        write(&mut text, &report, "/run/\u{7}", 0).expect("a string takes all");
        for obeyed in ["\u{1b}[2J", "\u{1b}]0", "\u{9b}", "\u{7}"] {
            assert!(!text.contains(obeyed), "{text:?}");
        }
    }
}
