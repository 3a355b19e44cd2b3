//! The text that Prometheus reads (format 0.0.4: prometheus.io/docs/instrumenting/exposition_formats).

use std::fmt::Write as _;

const PREFIX: &str = "taiinet_node_";

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

    /// Values of labels may be anything.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: u64) {
        let labels: Vec<_> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let (open, close) = if labels.is_empty() { ("", "") } else { ("{", "}") };
        let labels = labels.join(",");
        let _ = writeln!(self.text, "{PREFIX}{}{open}{labels}{close} {value}", self.name);
    }

    pub(super) fn gauge(&mut self, name: &'static str, help: &str, value: u64) {
        self.family(name, "gauge", help).sample(&[], value);
    }

    pub(super) fn counter(&mut self, name: &'static str, help: &str, value: u64) {
        self.family(name, "counter", help).sample(&[], value);
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_be_left_by_what_stands_in_it() {
        let mut out = Exposition::default();
        out.family("x", "gauge", "Help").sample(&[("network", "a\"} 1\n\\")], 7);
        let text = out.finish();
        assert_eq!(text.lines().last(), Some(r#"taiinet_node_x{network="a\"} 1\n\\"} 7"#));
        assert_eq!(text.lines().count(), 3);
    }
}
