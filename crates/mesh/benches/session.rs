//! What a session costs: to make one, and for each message in it.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use taiinet_mesh::session::{self, Answer, Dialler, Opening, Purpose, Session};

fn main() {
    let quick = std::env::args().any(|arg| arg == "--test");
    let (rounds, count) = if quick { (2, 50) } else { (30, 1000) };
    let (mut ours, mut theirs) = pair(1);
    println!("{:<44} {:>9}", "a session", "ns");
    row("makes one, both ends", best(rounds, count / 10, || drop(pair(2))));
    let (_, first) = dialler(3);
    let accept = || {
        black_box(session::accept(Purpose::Client, &first, [4; 32])).expect("an opening");
    };
    row("makes one, the end that is dialled", best(rounds, count / 10, accept));
    for bytes in [16, 300, 1100, 16 * 1024] {
        let message = vec![7; bytes];
        let cross = || {
            let sealed = ours.seal(&message).expect("it fits");
            black_box(theirs.open(&sealed)).expect("as it was sealed");
        };
        row(&format!("{bytes} bytes, sealed and opened"), best(rounds, count, cross));
    }
}

fn dialler(seed: u8) -> (Dialler, Vec<u8>) {
    let opening = Opening { version: 1, dialled: "wss://signaller.example".to_owned() };
    Dialler::new(Purpose::Client, &opening, [seed; 32]).expect("a short address")
}

fn pair(seed: u8) -> (Session, Session) {
    let (dialler, first) = dialler(seed);
    let (theirs, answer) =
        session::accept(Purpose::Client, &first, [seed + 1; 32]).expect("an opening");
    let Ok(Answer::Session(ours)) = dialler.answered(&answer) else { panic!("an answer") };
    (ours, theirs)
}

/// The time of one, in the best of several rounds: what a busy neighbour takes away falls out.
fn best(rounds: usize, count: u32, mut work: impl FnMut()) -> Duration {
    let round = |_| {
        let begun = Instant::now();
        (0..count).for_each(|_| work());
        begun.elapsed() / count
    };
    (0..rounds).map(round).min().unwrap_or_default()
}

fn row(what: &str, time: Duration) {
    println!("{what:<44} {:>9}", time.as_nanos());
}
