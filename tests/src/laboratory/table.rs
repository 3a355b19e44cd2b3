//! What was measured, for people and for scripts.

use std::{fmt::Write, time::Duration};

use serde_json::{Value, json};

use super::{Burst, Measured, Recovery, Way};

/// A table in Markdown, a line each.
pub fn markdown(measured: &[Measured]) -> String {
    let mut table =
        "| subscriber | publisher | way | link, s | first document, s | documents, each once | \
                     took, s |\n|---|---|---|---:|---:|---:|---:|\n"
            .to_owned();
    for one in measured {
        let burst = counted(&one.burst);
        let took = if one.burst.published == 0 { None } else { Some(one.burst.took) };
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} | {burst} | {} |",
            one.encounter.subscriber,
            one.encounter.publisher,
            way(one.way).unwrap_or("none"),
            seconds(one.link),
            seconds(one.document),
            seconds(took),
        );
    }
    table
}

/// A table of changes in Markdown.
pub fn changes_markdown(measured: &[Recovery]) -> String {
    let mut table = "| home | what happens | at home | documents come again after, s | documents, each once |\n\
                     |---|---|---|---:|---:|\n"
        .to_owned();
    for one in measured {
        let (at_home, documents) = (at_home(one), counted(&one.documents));
        let after = seconds(one.after);
        let _ = writeln!(
            table,
            "| {} | {} | {at_home} | {after} | {documents} |",
            one.access, one.change
        );
    }
    table
}

/// The same as JSON, times in seconds.
pub fn changes_json(measured: &[Recovery]) -> Value {
    let one = |one: &Recovery| {
        json!({
            "home": one.access.to_string(),
            "change": one.change.to_string(),
            "at_home": at_home(one),
            "after_s": one.after.map(|time| time.as_secs_f64()),
            "published": one.documents.published,
            "delivered": one.documents.delivered,
            "twice": one.documents.twice,
        })
    };
    Value::Array(measured.iter().map(one).collect())
}

const fn at_home(one: &Recovery) -> &'static str {
    if one.publishes { "publisher" } else { "subscriber" }
}

fn counted(burst: &Burst) -> String {
    let Burst { published, delivered, twice, .. } = *burst;
    match (published, burst.is_whole()) {
        (0, _) => "–".to_owned(),
        (_, true) => format!("{published} of {published}"),
        (_, false) => format!("**{delivered} of {published}, {twice} twice**"),
    }
}

/// The page of the documentation.
pub fn page(measured: &[Measured], changes: &[Recovery]) -> String {
    format!("{HEAD}{}{CHANGES}{}", markdown(measured), changes_markdown(changes))
}

const CHANGES: &str = "
## When a peer is somewhere else

A peer at home and one elsewhere, with a public address, are linked, and ten documents a second go from one to the
other. Then something happens to the home. The time is from then (after an outage, from its end) until the first
document that was published later is there; those of the time between come as well, and each once.

";

const HEAD: &str = "\
# Through which networks peers reach each other

Measured by `cargo xtask laboratory --page docs/laboratory.md`, which writes this page: real processes (built
for tests) in network namespaces of one machine with two cores, with a signaller that relays (`--relay`), its STUN and
Debian's coturn on the public part. Lines have no delay of their own, but for the lossy one: each packet takes
80 ± 20 ms each way, and 3 % are lost.

In each trial a peer subscribes in one home. Then another starts in the second home and publishes a document, and
after that has arrived 200 more, of 400 bytes, as fast as they are taken. Times are from the start of the
second process: until the two are linked, and until the first document is there. The way is what most of the
bytes took, counted at the public part.

| network | what it is |
|---|---|
| open | a public address |
| full cone | NAT: one port for all, and all may answer (`masquerade`, and a map back) |
| port-restricted | NAT: one port for all; only those may answer that were written to (`masquerade`) |
| symmetric | NAT: for each other end another port, by chance (`masquerade fully-random`) |
| UDP blocked | NAT that lets TCP through and no UDP |
| IPv6 only | no IPv4, and a firewall that lets in answers only |
| lossy line | a public address at the end of the lossy line |

## Who meets whom

";

/// The same as JSON, times in seconds.
pub fn json(measured: &[Measured]) -> Value {
    let one = |one: &Measured| {
        json!({
            "subscriber": one.encounter.subscriber.to_string(),
            "publisher": one.encounter.publisher.to_string(),
            "way": way(one.way),
            "link_s": one.link.map(|time| time.as_secs_f64()),
            "document_s": one.document.map(|time| time.as_secs_f64()),
            "published": one.burst.published,
            "delivered": one.burst.delivered,
            "twice": one.burst.twice,
            "burst_s": one.burst.took.as_secs_f64(),
        })
    };
    Value::Array(measured.iter().map(one).collect())
}

const fn way(way: Option<Way>) -> Option<&'static str> {
    match way {
        Some(Way::Direct) => Some("direct"),
        Some(Way::Turn) => Some("TURN"),
        Some(Way::Signaller) => Some("signaller"),
        None => None,
    }
}

fn seconds(time: Option<Duration>) -> String {
    time.map_or_else(|| "–".to_owned(), |time| format!("{:.2}", time.as_secs_f64()))
}
