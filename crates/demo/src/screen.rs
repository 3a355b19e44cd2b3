//! Where progress is shown: a table redrawn in place on a terminal, a line now and then elsewhere.
//! All of it goes to stderr; stdout is for the result.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use taiinet_terminal::say;

use crate::{mesh::Mesh, table};

/// How often a line is printed where nothing can be redrawn.
const PLAIN_EVERY: Duration = Duration::from_secs(2);

pub(crate) enum Screen {
    Live { all: MultiProgress, lines: Vec<ProgressBar>, below: Vec<String> },
    Plain { printed: Instant, last: (u64, usize) },
}

impl Screen {
    pub(crate) fn new() -> Self {
        if std::io::stderr().is_terminal() {
            Self::Live { all: MultiProgress::new(), lines: Vec::new(), below: Vec::new() }
        } else {
            Self::plain()
        }
    }

    fn plain() -> Self {
        Self::Plain { printed: Instant::now(), last: (0, 0) }
    }

    pub(crate) fn is_live(&self) -> bool {
        matches!(self, Self::Live { .. })
    }

    /// Says what happens now.
    pub(crate) fn say(&mut self, text: &str) {
        match self {
            Self::Live { below, .. } => *below = vec![format!("{text} …")],
            Self::Plain { .. } => say(text),
        }
    }

    /// Says how to join, below the table from now on.
    pub(crate) fn invite(&mut self, verdict: &str, invitation: &[String]) {
        let print = || {
            say(format_args!("{verdict}\n"));
            invitation.iter().for_each(say);
        };
        match self {
            // Long commands would be cut at the edge when redrawn, so they are printed once, above.
            Self::Live { all, below, .. } => {
                below.clear();
                // Its own `suspend` panics where the terminal is gone.
                let _ = all.clear();
                print();
            }
            Self::Plain { .. } => print(),
        }
    }

    /// Shows how things stand.
    pub(crate) fn draw(&mut self, mesh: &Mesh, elapsed: Duration) {
        match self {
            Self::Live { all, lines, below } => {
                let text = [table::lines(mesh, elapsed), below.clone()].concat();
                while lines.len() < text.len() {
                    let style = ProgressStyle::with_template("{wide_msg}");
                    let line = all.add(ProgressBar::new_spinner());
                    lines.push(match style {
                        Ok(style) => line.with_style(style),
                        Err(_) => line,
                    });
                }
                for gone in lines.drain(text.len()..) {
                    all.remove(&gone);
                }
                for (line, text) in lines.iter().zip(text) {
                    line.set_message(text);
                    line.tick();
                }
            }
            Self::Plain { printed, last } => {
                let (delivered, expected) = mesh.deliveries();
                let counts = (mesh.published(), delivered);
                if *last != counts && printed.elapsed() >= PLAIN_EVERY {
                    (*printed, *last) = (Instant::now(), counts);
                    say(format_args!(
                        "{:5.1} s: {} published, {delivered} of {expected} deliveries",
                        elapsed.as_secs_f64(),
                        mesh.published(),
                    ));
                }
            }
        }
    }

    /// Leaves the table as it is; what follows comes below it.
    pub(crate) fn leave(&mut self) {
        if let Self::Live { lines, .. } = self {
            lines.drain(..).for_each(|line| line.abandon());
            *self = Self::plain();
        }
    }

    /// Takes the table away.
    pub(crate) fn clear(&mut self) {
        if let Self::Live { all, lines, .. } = self {
            lines.drain(..).for_each(|line| line.finish_and_clear());
            // Only a terminal that is gone fails here.
            let _ = all.clear();
        }
    }
}
