//! The table of peers, as lines of text.

use std::{path::Path, time::Duration};

use crate::{
    data::PUBLISHER,
    mesh::{Member, Mesh},
};

/// The whole table.
pub(crate) fn lines(mesh: &Mesh, elapsed: Duration) -> Vec<String> {
    let bold = anstyle::Style::new().bold();
    let header = format!(
        "  {:<11} {:<10} {:>10}  {:>13} {:>5} {:>8} {:>8} {:>8}  query",
        "peer", "links", "eager/lazy", "delivered", "twice", "rejected", "p50 ms", "p99 ms"
    );
    let mut lines = vec![format!("{bold}{header}{bold:#}")];
    lines.extend(mesh.members.iter().enumerate().map(|(index, member)| row(index, member)));
    let (delivered, expected) = mesh.deliveries();
    lines.push(format!(
        "{} documents published, {delivered} of {expected} deliveries, {:.1} s",
        mesh.published(),
        elapsed.as_secs_f64()
    ));
    lines
}

fn row(index: usize, member: &Member) -> String {
    let mut links: Vec<String> = member.links.iter().map(|&link| letter(link)).collect();
    links.extend((member.guests > 0).then(|| format!("+{}", member.guests)));
    let eager_lazy = format!("{}/{}", member.eager, member.lazy);
    let head = format!(
        "{} {:<11} {:<10} {eager_lazy:>10} ",
        letter(index),
        member.role.name,
        links.join(" ")
    );
    if index == PUBLISHER {
        return format!("{head} {:>13} {:>5} {:>8}", "–", "–", member.rejected);
    }
    let ledger = &member.ledger;
    let mut delivered = format!("{}/{}", ledger.delivered(), ledger.expected());
    if member.others > 0 {
        delivered.push_str(&format!(" +{}", member.others));
    }
    let (p50, p99) = match member.latency() {
        Some((p50, p99)) => (p50.to_string(), p99.to_string()),
        None => ("–".to_owned(), "–".to_owned()),
    };
    let colour = if !ledger.faults().is_empty() && ledger.delivered() >= ledger.expected() {
        anstyle::AnsiColor::Red.on_default()
    } else if ledger.is_complete() {
        anstyle::AnsiColor::Green.on_default()
    } else {
        anstyle::Style::new()
    };
    format!(
        "{head} {colour}{delivered:>13}{colour:#} {:>5} {:>8} {p50:>8} {p99:>8}  {}",
        ledger.twice(),
        member.rejected,
        member.role.query.unwrap_or_default()
    )
}

/// `A` for the first peer, and so on: short enough to list neighbours by.
fn letter(index: usize) -> String {
    u8::try_from(index).map_or_else(|_| "?".to_owned(), |i| char::from(b'A' + i % 26).to_string())
}

/// How to join from another terminal.
pub(crate) fn invitation(
    program: &Path,
    network: &str,
    signaller: &str,
    pages: Option<&str>,
) -> Vec<String> {
    let here = std::env::current_dir().unwrap_or_default();
    let program = program.strip_prefix(here).unwrap_or(program).display();
    let there = format!("--network {network} --signaller '{signaller}'");
    let mut lines = vec![
        "The mesh stays up. Join it from another terminal:".to_owned(),
        format!(r#"  {program} subscribe '{{"felt":{{"$gt":10}}}}' {there}"#),
        format!(
            r#"  echo '{{"type":"earthquake","magnitude":9.9,"felt":99}}' | {program} publish {there}"#
        ),
        format!("  {program} find '{{}}' --sort magnitude:desc --limit 5 {there}"),
        format!("  {program} peers {there}"),
    ];
    lines.extend(pages.map(|url| format!("Or open {url} in a browser.")));
    lines.push("Ctrl-C ends it.".to_owned());
    lines
}
