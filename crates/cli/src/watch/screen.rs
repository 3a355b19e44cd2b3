//! A result set as a terminal shows it.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use taiinet::{LiveSnapshot, LiveState, Phase};
use taiinet_terminal as terminal;

const DIM: Style = Style::new().dimmed();
/// Lines that are not documents: the state, what has no room, why there is no neighbour, and where the cursor stands.
const OTHER_LINES: usize = 6;

/// Columns and lines of a terminal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    columns: usize,
    lines: usize,
}

/// Those of ours; if it does not say, of the most common one.
pub(super) fn size() -> Size {
    match terminal_size::terminal_size() {
        Some((columns, lines)) => Size { columns: columns.0.into(), lines: lines.0.into() },
        None => Size { columns: 80, lines: 24 },
    }
}

/// The documents, one a line, and the state, ending with a line's end.
pub(super) fn draw(LiveSnapshot { documents, state, .. }: &LiveSnapshot, size: Size) -> String {
    let room = size.lines.saturating_sub(OTHER_LINES).max(1);
    let digits = documents.len().to_string().len();
    let mut text = String::new();
    for (number, document) in documents.iter().take(room).enumerate() {
        let data = document.json();
        let data = terminal::json(&data);
        let number = number + 1;
        let room = size.columns.saturating_sub(digits + 1);
        // Writing to a string cannot fail.
        let _ = write!(text, "{DIM}{number:>digits$}{DIM:#} ");
        text.extend(data.chars().take(room));
        text.push('\n');
    }
    if documents.len() > room {
        let more = documents.len() - room;
        let _ = writeln!(text, "{DIM}… and {more} that have no room here{DIM:#}");
    }
    let (style, count) = (style(state), documents.len());
    let s = if count == 1 { "" } else { "s" };
    let _ = writeln!(text, "{style}{}{style:#} · {count} document{s}", describe(state));
    text
}

/// `loading`, `ready · complete`, `ready · more beyond the limit`, `stale · …`.
fn describe(state: &LiveState) -> String {
    let mut text = state.phase.as_str().to_owned();
    if state.phase == Phase::Stale {
        text.push_str(" · no neighbour, or what was missed is being looked for");
    }
    if state.complete && state.phase == Phase::Ready {
        text.push_str(" · complete");
    }
    if state.more {
        text.push_str(" · more beyond the limit");
    }
    text
}

const fn style(state: &LiveState) -> Style {
    match state.phase {
        Phase::Ready => AnsiColor::Green.on_default(),
        Phase::Stale => AnsiColor::Yellow.on_default(),
        _ => DIM,
    }
}

#[cfg(test)]
mod tests {
    use taiinet::{LiveOptions, Map, TaiiNet};

    use super::*;
    use crate::testing::{EVIL, is_harmless};

    #[tokio::test]
    async fn what_others_wrote_stands_on_its_line_and_is_not_obeyed() {
        let net = TaiiNet::builder().network("tests").signaller("ws://127.0.0.1:9");
        let net = net.connect().await.expect("a peer");
        let mut live = net.live("{}", LiveOptions::default()).expect("a query");
        for n in 0..3_i64 {
            let content = Map::from([("n".to_owned(), n.into()), (EVIL.to_owned(), EVIL.into())]);
            net.queue(content).await.expect("queued");
        }
        let snapshot = loop {
            let snapshot = live.changed().await.expect("it runs");
            if snapshot.documents.len() == 3 {
                break snapshot;
            }
        };
        let shown = |columns, lines| {
            let text = draw(&snapshot, Size { columns, lines });
            let text = anstream::adapter::strip_str(&text).to_string();
            assert!(is_harmless(&text), "{text:?}");
            text
        };
        let all = shown(500, 50);
        assert!(all.contains("all is fine") && all.ends_with("loading · 3 documents\n"), "{all}");
        assert_eq!(all.lines().count(), 4);
        let some = shown(12, OTHER_LINES + 2);
        let lines: Vec<_> = some.lines().collect();
        assert_eq!(lines.len(), 4, "{some}");
        assert_eq!(lines[2], "… and 1 that have no room here");
        assert!(lines[..2].iter().all(|line| line.chars().count() == 12), "{some}");
        net.close().await;
    }
}
