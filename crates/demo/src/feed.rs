//! Documents given to the publisher at a steady rate.

use std::{
    io,
    time::{Duration, Instant},
};

use tokio::io::{AsyncWrite, AsyncWriteExt};

/// The most lines given at once: a late timer is made up for, but not in one rush.
const BURST: usize = 32;

/// Writes the lines, so many a second (0: as fast as they are taken); gives the input back, open.
pub(crate) async fn feed<W: AsyncWrite + Unpin>(
    lines: Vec<String>,
    rate: u32,
    mut input: W,
) -> io::Result<W> {
    let gap = Duration::from_secs(1).checked_div(rate).unwrap_or_default();
    let mut lines = lines.into_iter().peekable();
    let mut next_at = Instant::now();
    while lines.peek().is_some() {
        tokio::time::sleep_until(next_at.into()).await;
        let mut due = String::new();
        for line in lines.by_ref().take(BURST) {
            due.push_str(&line);
            due.push('\n');
            next_at += gap;
            if next_at > Instant::now() {
                break;
            }
        }
        input.write_all(due.as_bytes()).await?;
        input.flush().await?;
    }
    Ok(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_line_is_given_in_order() {
        let lines: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        let given = feed(lines.clone(), 0, Vec::new()).await.expect("memory takes all");
        assert_eq!(String::from_utf8(given).expect("UTF-8"), lines.join("\n") + "\n");
    }
}
