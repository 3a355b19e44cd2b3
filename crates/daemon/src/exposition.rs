//! The text that Prometheus reads (format 0.0.4: prometheus.io/docs/instrumenting/exposition_formats).

use std::{fmt::Write as _, time::Duration};

/// Metrics, written one after the other; the name of each begins alike.
#[derive(Debug)]
pub struct Exposition {
    prefix: &'static str,
    text: String,
    name: &'static str,
}

// Nothing can fail in writing to a `String`.
impl Exposition {
    /// None yet.
    pub const fn new(prefix: &'static str) -> Self {
        Self { prefix, text: String::new(), name: "" }
    }

    /// Begins a metric, whose samples follow.
    pub fn family(&mut self, name: &'static str, kind: &str, help: &str) -> &mut Self {
        self.name = name;
        let prefix = self.prefix;
        let _ = writeln!(self.text, "# HELP {prefix}{name} {help}.");
        let _ = writeln!(self.text, "# TYPE {prefix}{name} {kind}");
        self
    }

    /// One value of the metric; those of labels may be anything.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: u64) {
        let labels: Vec<_> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let (open, close) = if labels.is_empty() { ("", "") } else { ("{", "}") };
        let (prefix, name, labels) = (self.prefix, self.name, labels.join(","));
        let _ = writeln!(self.text, "{prefix}{name}{open}{labels}{close} {value}");
    }

    /// A metric of one value.
    pub fn gauge(&mut self, name: &'static str, help: &str, value: u64) {
        self.family(name, "gauge", help).sample(&[], value);
    }

    /// A metric of one time.
    pub fn seconds(&mut self, name: &'static str, help: &str, value: Duration) {
        self.family(name, "gauge", help);
        let _ = writeln!(self.text, "{}{name} {}", self.prefix, value.as_secs_f64());
    }

    /// A metric of one number that only grows.
    pub fn counter(&mut self, name: &'static str, help: &str, value: u64) {
        self.family(name, "counter", help).sample(&[], value);
    }

    /// A metric of times: how many were at most each bound and not the one before, and after the last how many were
    /// longer; in the text each bucket counts those before it, too, as the format wants it.
    pub fn histogram(
        &mut self,
        name: &'static str,
        help: &str,
        bounds: &[Duration],
        counts: &[u64],
        sum: Duration,
    ) {
        self.family(name, "histogram", help);
        let prefix = self.prefix;
        let bounds = bounds.iter().map(|bound| bound.as_secs_f64().to_string());
        let mut all = 0;
        for (count, bound) in counts.iter().zip(bounds.chain(["+Inf".to_owned()])) {
            all += count;
            let _ = writeln!(self.text, "{prefix}{name}_bucket{{le=\"{bound}\"}} {all}");
        }
        let _ = writeln!(self.text, "{prefix}{name}_sum {}", sum.as_secs_f64());
        let _ = writeln!(self.text, "{prefix}{name}_count {all}");
    }

    /// All of them.
    pub fn finish(self) -> String {
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
        let mut out = Exposition::new("p_");
        out.family("x", "gauge", "Help").sample(&[("network", "a\"} 1\n\\")], 7);
        let text = out.finish();
        assert_eq!(text.lines().last(), Some(r#"p_x{network="a\"} 1\n\\"} 7"#));
        assert_eq!(text.lines().count(), 3);
    }

    #[test]
    fn buckets_count_those_before_them() {
        let mut out = Exposition::new("p_");
        let bounds = [Duration::from_millis(1), Duration::from_secs(1)];
        out.histogram("took", "Help", &bounds, &[2, 3, 4], Duration::from_secs(9));
        let text = out.finish();
        let samples: Vec<&str> = text.lines().skip(2).collect();
        let expected = [
            "p_took_bucket{le=\"0.001\"} 2",
            "p_took_bucket{le=\"1\"} 5",
            "p_took_bucket{le=\"+Inf\"} 9",
            "p_took_sum 9",
            "p_took_count 9",
        ];
        assert_eq!(samples, expected);
    }
}
