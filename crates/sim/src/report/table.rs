//! The figures as a table for people.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::scenario::Figures;

/// A number with as many digits as tell something, and marks between the thousands.
pub(super) fn number(value: f64) -> String {
    if value.fract() == 0.0 || value.abs() >= 1000.0 {
        return thousands(value.round());
    }
    let digits = if value.abs() >= 10.0 { 1 } else { 3 };
    format!("{value:.digits$}")
}

fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}

/// What is shown of a run, each with its unit: a name, and what it is.
pub(super) fn rows(figures: &Figures) -> Vec<(&'static str, String)> {
    let whole = |value: u64| number(value as f64);
    let maybe = |value: Option<f64>, unit: &str| {
        value.map_or_else(|| "–".to_owned(), |value| format!("{}{unit}", number(value)))
    };
    let millis = |value: Option<u64>| maybe(value.map(|value| value as f64), " ms");
    let mut rows = vec![
        ("peers", whole(figures.peers as u64)),
        ("seed", figures.seed.to_string()),
        ("published", whole(figures.published)),
        (
            "delivered",
            format!(
                "{} of {} ({:.3} %)",
                whole(figures.delivered),
                whole(figures.due),
                figures.delivered_share * 100.0
            ),
        ),
        ("within six seconds", maybe(figures.in_six_s_share.map(|share| share * 100.0), " %")),
        ("doubles", whole(figures.doubles)),
        ("unwanted per wanted", maybe(figures.unwanted_per_wanted, "")),
        ("copies beyond the first", maybe(figures.copies, "")),
        ("last hop", maybe(figures.last_hop, "")),
        (
            "delay p50 / p99 / slowest",
            format!(
                "{} / {} / {}",
                millis(figures.p50_ms),
                millis(figures.p99_ms),
                millis(figures.slowest_ms)
            ),
        ),
        ("newcomers wait, p99", millis(figures.join_p99_ms)),
        (
            "a peer sends, mean / most",
            format!(
                "{} / {}",
                maybe(figures.bytes_per_s, " B/s"),
                maybe(figures.bytes_per_s_max, " B/s")
            ),
        ),
        ("  of it control", maybe(figures.control_bytes_per_s, " B/s")),
        (
            "largest state for interest",
            maybe(figures.interest_bytes_max.map(|bytes| bytes as f64), " bytes"),
        ),
        ("honest peers cut", whole(figures.honest_cut)),
        ("links of a peer", maybe(figures.degree, "")),
    ];
    if figures.hostile > 0 {
        rows.insert(1, ("  of these hostile", whole(figures.hostile as u64)));
    }
    if let Some(share) = figures.honest_together {
        rows.push(("honest ones that hang together", format!("{:.1} %", share * 100.0)));
    }
    if let Some(share) = figures.target_share {
        rows.push(("delivered from and to targets", format!("{:.3} %", share * 100.0)));
    }
    if figures.refused > 0 {
        rows.push(("not published", whole(figures.refused)));
    }
    if figures.recovered_after_s.is_some() || figures.caught_up_after_s.is_some() {
        rows.push(("recovered after the fault", maybe(figures.recovered_after_s, " s")));
        rows.push(("caught up after the fault", maybe(figures.caught_up_after_s, " s")));
    }
    if !figures.connected {
        rows.push(("the mesh", "does NOT hang together".to_owned()));
    }
    if figures.violations > 0 {
        rows.push(("faults of the core", whole(figures.violations)));
    }
    let memory = figures.memory_mib.map(|mib| mib as f64);
    rows.push((
        "took",
        format!(
            "{} s ({} of the processor) for {} s, {}",
            number(figures.wall_s),
            maybe(figures.cpu_s, " s"),
            number(figures.virtual_s),
            maybe(memory, " MiB")
        ),
    ));
    rows
}

/// The table, with colours, and what was broken or missed.
pub fn table(figures: &Figures) -> String {
    let bold = Style::new().bold();
    let (good, bad) = (AnsiColor::Green.on_default(), AnsiColor::Red.on_default().bold());
    let aim = AnsiColor::Yellow.on_default();
    let mut text = format!("{bold}{}{bold:#}", figures.scenario);
    text.push_str(if figures.interrupted { ", interrupted: so far\n" } else { "\n" });
    for (name, value) in rows(figures) {
        let _ = writeln!(text, "  {name:<28}{value}");
    }
    if figures.verification_shared {
        text.push_str("  (what one peer has verified, the others take as verified)\n");
    }
    for check in &figures.aims {
        let (style, word) = if check.met { (good, "met") } else { (aim, "missed") };
        let _ = writeln!(text, "  {style}aim {word}{style:#}: {check}");
    }
    for check in &figures.broken {
        let _ = writeln!(text, "  {bad}bound broken{bad:#} with seed {}: {check}", figures.seed);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_short_and_readable() {
        let texts = [0.0, 1.0, 0.123_4, 12.34, 1234.5, 1_234_567.0].map(number);
        assert_eq!(texts, ["0", "1", "0.123", "12.3", "1,235", "1,234,567"]);
    }
}
