//! Progress bars on stderr, where it is a terminal.

use std::{fmt::Write, io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// With a total, in bytes of input, where it is known; then what is beside it is the bar's message.
pub(crate) fn of_bytes(total: Option<u64>) -> ProgressBar {
    match total {
        Some(total) => styled(
            ProgressBar::new(total),
            "{wide_bar} {bytes} of {total_bytes}, {msg}, {elapsed}, {eta} to go",
        ),
        None => of_documents(None),
    }
}

/// With a number of documents, where it is known.
pub(crate) fn of_documents(total: Option<u64>) -> ProgressBar {
    match total {
        Some(total) => styled(
            ProgressBar::new(total),
            "{wide_bar} {pos} of {len} documents, {rate} a second, {eta} to go",
        ),
        None => styled(
            ProgressBar::new_spinner(),
            "{spinner} {pos} documents, {rate} a second, {elapsed}",
        ),
    }
}

/// Of what nobody can say how long it takes.
pub(crate) fn of_work(what: &'static str) -> ProgressBar {
    styled(ProgressBar::new_spinner(), "{spinner} {msg}, {elapsed}").with_message(what)
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    if let Ok(style) = ProgressStyle::with_template(template) {
        let rate = |state: &ProgressState, text: &mut dyn Write| {
            let _ = write!(text, "{:.0}", state.per_sec());
        };
        bar.set_style(style.with_key("rate", rate));
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// `1 document`, `2 documents`.
pub(crate) fn documents(count: u64) -> String {
    if count == 1 { "1 document".to_owned() } else { format!("{count} documents") }
}
