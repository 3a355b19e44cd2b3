//! What is counted, for Prometheus.

use taiinet::{Bandwidth, Counters, LinkState, Misbehaviour, Network, Status};
use taiinet_daemon::{Exposition, resident};

/// A peer in one network, at one moment.
pub(super) struct View {
    pub(super) network: Network,
    pub(super) status: Status,
}

impl View {
    pub(super) fn neighbours(&self) -> usize {
        self.status.links.iter().filter(|link| link.state == LinkState::Active).count()
    }

    pub(super) fn joined(&self) -> usize {
        self.status.signallers.iter().filter(|signaller| signaller.joined).count()
    }
}

/// All metrics as text. Every one exists from the start, those of reasons and networks, too.
pub(super) fn text(views: &[View], bandwidth: &Bandwidth, caps: [u64; 2], uptime: u64) -> String {
    let mut out = Exposition::new("taiinet_node_");
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    out.family("build_info", "gauge", "What runs").sample(&version, 1);
    out.gauge("uptime_seconds", "Seconds since it started", uptime);
    if let Some(bytes) = resident() {
        out.gauge("resident_memory_bytes", "Memory that it has in RAM", bytes);
    }
    let sent = "Bytes of messages on all links, without what transports add";
    out.counter("sent_bytes_total", sent, bandwidth.sent());
    out.counter("received_bytes_total", "The same from all links", bandwidth.received());
    let [upload, download] = caps;
    out.gauge("upload_cap_bytes_per_second", "The cap of what is sent; 0 for none", upload);
    out.gauge("download_cap_bytes_per_second", "The cap of what is received; 0 for none", download);

    let of = |view: &View| view.neighbours();
    gauges(&mut out, views, "neighbours", "Links in use", of);
    let of = |view: &View| view.status.links.len() - view.neighbours();
    gauges(&mut out, views, "links_pending", "Links that are being made", of);
    let of = |view: &View| view.status.links.iter().filter(|link| link.relayed).count();
    gauges(&mut out, views, "relayed_links", "Links that a signaller relays", of);
    let of = |view: &View| view.status.links.iter().map(|link| link.queued_bytes).sum();
    gauges(&mut out, views, "queued_bytes", "Bytes that wait for neighbours", of);
    gauges(&mut out, views, "signallers", "Signallers that are known", |view| {
        view.status.signallers.len()
    });
    gauges(&mut out, views, "signallers_joined", "Signallers that took the join", View::joined);
    gauges(&mut out, views, "candidates", "Peers that could become neighbours", |view| {
        view.status.candidates
    });
    gauges(&mut out, views, "blacklisted_peers", "Peers kept out", |view| {
        view.status.blacklist.len()
    });

    let received = "Documents that came and held, first copies";
    counters(&mut out, views, "documents_received_total", received, |of| of.received);
    let copies = "Further copies of them";
    counters(&mut out, views, "documents_duplicate_total", copies, |of| of.duplicates);
    let forwarded = "Documents passed on to neighbours, all copies";
    counters(&mut out, views, "documents_forwarded_total", forwarded, |of| of.sent);
    let delivered = "Documents that matched a subscription of this peer";
    counters(&mut out, views, "documents_delivered_total", delivered, |of| of.delivered);
    let announced = "Documents that neighbours announced";
    counters(&mut out, views, "documents_announced_total", announced, |of| of.announced);
    let asked = "Documents asked for after an announcement";
    counters(&mut out, views, "documents_asked_total", asked, |of| of.grafted);
    out.family("rejected_total", "counter", "What was refused, by reason");
    for view in views {
        for reason in Misbehaviour::ALL {
            let count = view.status.counters.rejected.get(&reason).copied().unwrap_or_default();
            let reason = snake_case(&format!("{reason:?}"));
            out.sample(&[("network", view.network.as_str()), ("reason", &reason)], count);
        }
    }
    out.finish()
}

fn gauges(
    out: &mut Exposition,
    views: &[View],
    name: &'static str,
    help: &str,
    of: impl Fn(&View) -> usize,
) {
    by_network(out, views, (name, "gauge", help), |view| of(view) as u64);
}

fn counters(
    out: &mut Exposition,
    views: &[View],
    name: &'static str,
    help: &str,
    of: impl Fn(&Counters) -> u64,
) {
    by_network(out, views, (name, "counter", help), |view| of(&view.status.counters));
}

fn by_network(
    out: &mut Exposition,
    views: &[View],
    (name, kind, help): (&'static str, &'static str, &str),
    of: impl Fn(&View) -> u64,
) {
    out.family(name, kind, help);
    for view in views {
        out.sample(&[("network", view.network.as_str())], of(view));
    }
}

/// `OutOfTurn` as `out_of_turn`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So that none is missing where each is to be there.
    #[test]
    fn the_list_of_reasons_is_whole() {
        let all = serde_json::from_str::<Misbehaviour>("\"None\"").expect_err("no such reason");
        let all = all.to_string();
        let known = Misbehaviour::ALL.map(|reason| format!("`{reason:?}`"));
        assert!(known.iter().all(|known| all.contains(known)), "{all}");
        assert_eq!(all.matches('`').count(), 2 * (known.len() + 1), "{all}");
    }

    #[test]
    fn every_counter_exists_from_the_start() {
        let network: Network = "a \"b\"".parse().expect("a name");
        let views = [View { network, status: Status::default() }];
        let text = text(&views, &Bandwidth::default(), [7, 0], 3);
        for line in [
            "taiinet_node_uptime_seconds 3",
            "taiinet_node_upload_cap_bytes_per_second 7",
            "taiinet_node_sent_bytes_total 0",
            r#"taiinet_node_neighbours{network="a \"b\""} 0"#,
            r#"taiinet_node_documents_forwarded_total{network="a \"b\""} 0"#,
            r#"taiinet_node_rejected_total{network="a \"b\"",reason="invalid_signature"} 0"#,
        ] {
            assert!(text.lines().any(|known| known == line), "{line}\n{text}");
        }
    }
}
