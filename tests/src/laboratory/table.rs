//! What was measured, for people and for scripts.

use std::{fmt::Write, time::Duration};

use serde_json::{Value, json};

use super::{Measured, Way};

/// A table in Markdown, a line each.
pub fn markdown(measured: &[Measured]) -> String {
    let mut table =
        "| subscriber | publisher | way | link, s | first document, s | documents, each once | \
                     took, s |\n|---|---|---|---:|---:|---:|---:|\n"
            .to_owned();
    for one in measured {
        let burst = match (one.burst.published, one.is_whole()) {
            (0, _) => "–".to_owned(),
            (published, true) => format!("{published} of {published}"),
            (published, false) => {
                format!("**{} of {published}, {} twice**", one.burst.delivered, one.burst.twice)
            }
        };
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

/// The page of the documentation.
pub fn page(measured: &[Measured]) -> String {
    format!("{HEAD}\n{}", markdown(measured))
}

const HEAD: &str = "\
# Through which networks peers reach each other

Measured by `cargo xtask laboratory --page docs/laboratory.md`, which writes this page: real processes (built
for tests) in network namespaces of one machine, with a signaller, its STUN and Debian's coturn on the public part.
Lines have no delay of their own, but for the lossy one: each packet takes 80 ± 20 ms each way, and 3 % are lost.

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
