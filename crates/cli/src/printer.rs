//! Documents on stdout, one a line.

use std::io::{self, BufWriter, StdoutLock, Write};

use serde_json::json;
use taiinet::{Delivery, Privacy};

/// Writes documents: their data alone, or with who wrote them and when.
pub(crate) struct Printer {
    out: BufWriter<StdoutLock<'static>>,
    json: bool,
    count: u64,
}

impl Printer {
    pub(crate) fn new(json: bool) -> Self {
        Self { out: BufWriter::new(io::stdout().lock()), json, count: 0 }
    }

    /// How many were printed.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn print(&mut self, delivery: &Delivery) -> io::Result<()> {
        self.count += 1;
        if !self.json {
            return writeln!(self.out, "{}", delivery.json());
        }
        // The data stand first and are written as they are without --json.
        let mut about = json!({
            "author": delivery.author(),
            "id": delivery.id().to_string(),
            "created_at": delivery.created_at().as_millis(),
            "received_at": delivery.received_at().as_millis(),
            "hops": delivery.hops(),
        });
        if let Some(key) = delivery.key() {
            about["key"] = key.into();
        }
        if let Some(expires_at) = delivery.expires_at() {
            about["expires_at"] = expires_at.as_millis().into();
        }
        if delivery.privacy() != Privacy::Open {
            about["privacy"] = delivery.privacy().as_str().into();
        }
        let about = about.to_string();
        writeln!(self.out, "{{\"data\":{},{}", delivery.json(), &about[1..])
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
