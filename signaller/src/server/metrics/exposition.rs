//! The text that Prometheus reads.

use std::{fmt::Write as _, time::Duration};

use crate::{BOUNDS, Histogram};

const PREFIX: &str = "taiinet_signaller_";

/// Metrics, written one after the other.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    text: String,
    name: &'static str,
}

// Nothing can fail in writing to a `String`.
impl Exposition {
    /// Begins a metric, whose samples follow.
    pub(super) fn family(&mut self, name: &'static str, kind: &str, help: &str) -> &mut Self {
        self.name = name;
        let _ = writeln!(self.text, "# HELP {PREFIX}{name} {help}.");
        let _ = writeln!(self.text, "# TYPE {PREFIX}{name} {kind}");
        self
    }

    /// Values of labels are our own words: letters, digits, `_` and `.`, so nothing is to be escaped.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: u64) {
        let labels: Vec<_> =
            labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let (open, close) = if labels.is_empty() { ("", "") } else { ("{", "}") };
        let labels = labels.join(",");
        let _ = writeln!(self.text, "{PREFIX}{}{open}{labels}{close} {value}", self.name);
    }

    pub(super) fn gauge(&mut self, name: &'static str, help: &str, value: u64) {
        self.family(name, "gauge", help).sample(&[], value);
    }

    pub(super) fn seconds(&mut self, name: &'static str, help: &str, value: Duration) {
        self.family(name, "gauge", help);
        let _ = writeln!(self.text, "{PREFIX}{name} {}", value.as_secs_f64());
    }

    pub(super) fn counter(&mut self, name: &'static str, help: &str, value: u64) {
        self.family(name, "counter", help).sample(&[], value);
    }

    /// Each bucket counts those before it, too, as the format wants it.
    pub(super) fn histogram(&mut self, name: &'static str, help: &str, took: &Histogram) {
        self.family(name, "histogram", help);
        let bounds = BOUNDS.iter().map(|bound| bound.as_secs_f64().to_string());
        let mut all = 0;
        for (count, bound) in took.counts.iter().zip(bounds.chain(["+Inf".to_owned()])) {
            all += count;
            let _ = writeln!(self.text, "{PREFIX}{name}_bucket{{le=\"{bound}\"}} {all}");
        }
        let _ = writeln!(self.text, "{PREFIX}{name}_sum {}", took.sum.as_secs_f64());
        let _ = writeln!(self.text, "{PREFIX}{name}_count {all}");
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}
