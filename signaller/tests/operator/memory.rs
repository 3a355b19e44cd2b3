//! The memory that clients can make a signaller take, against what is said of it.

use taiinet_document::Timestamp;
use taiinet_identity::Signed;
use taiinet_mesh::{
    limits::MESSAGE_BYTES,
    wire::{FromSignaller, Signal, ToSignaller},
};
use taiinet_signaller::{limits, server::AcceptConfig};

use crate::{client::Client, program::Program};

/// Clients that read nothing, and are sent as much as others may send to one.
async fn fill_sleepers(program: &Program, count: usize) -> Vec<Client> {
    let mut sleepers = Vec::new();
    for _ in 0..count {
        sleepers.push(Client::sleeper(program.address(), "test").await);
    }
    for some in sleepers.chunks(8) {
        let mut sender = Client::joined(program.address(), "test").await;
        for sleeper in some {
            let signal = Signal {
                network: "test".parse().unwrap(),
                to: sleeper.id(),
                sent_at: Timestamp::from_millis(1),
                sealed: vec![7; 8_000],
            };
            let signal = ToSignaller::Signal(Signed::new(&sender.identity, &signal));
            for _ in 0..30 {
                sender.say(&signal).await;
            }
            sender.say(&ToSignaller::Ping(1)).await;
            while sender.receive().await != Some(FromSignaller::Pong(1)) {}
        }
    }
    sleepers
}

#[tokio::test]
async fn what_waits_for_all_clients_is_bounded() {
    const TOTAL: usize = 1 << 20;
    const CLIENTS: usize = 64;
    let program = Program::start(&[
        "--metrics",
        "127.0.0.1:0",
        "--write-timeout",
        "10m",
        "--max-clients",
        &CLIENTS.to_string(),
        "--max-waiting-total",
        &TOTAL.to_string(),
    ]);
    let mut honest = Client::joined(program.address(), "test").await;
    let _sleepers = fill_sleepers(&program, 24).await;
    let waiting = program.metric("waiting_bytes");
    let most = (TOTAL + CLIENTS * MESSAGE_BYTES) as u64;
    assert!((most / 4..=most).contains(&waiting), "{waiting} of {most}");
    assert!(program.metric("slow_readers_total") > 0, "some have made room");
    assert!(honest.is_served().await);
}

/// What the unit's `MemoryMax` is reckoned with.
#[tokio::test]
async fn clients_take_no_more_memory_than_is_reckoned_with() {
    const IDLE: usize = 150;
    const SLEEPERS: usize = 24;
    let program = Program::start(&["--metrics", "127.0.0.1:0", "--write-timeout", "10m"]);
    let resident = || program.metric("resident_memory_bytes");
    // What is taken once, by each of its threads, is taken.
    let mut first = Vec::new();
    for _ in 0..16 {
        first.push(Client::joined(program.address(), "test").await);
    }
    let before = resident();
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        idle.push(Client::joined(program.address(), "test").await);
    }
    let each = resident().saturating_sub(before) as usize / IDLE;
    let reckoned = limits::CLIENT_MEMORY + limits::READ_BUFFER;
    assert!(each <= reckoned, "{each} bytes for an idle client, not {reckoned}");

    // A message of which the end is missing, and the next frame, too, but for its last byte.
    let payload = MESSAGE_BYTES / 2;
    let header = |opcode: u8, payload: usize| {
        let [high, low] = u16::try_from(payload).unwrap().to_be_bytes();
        vec![opcode, 0xfe, high, low, 0, 0, 0, 0]
    };
    for client in &mut idle {
        client.send_raw(&[header(0x02, payload), vec![0; payload]].concat()).await;
        client.send_raw(&[header(0x80, payload), vec![0; payload - 1]].concat()).await;
    }
    let _sleepers = fill_sleepers(&program, SLEEPERS).await;
    // All of it has been read when the last of them is answered.
    let mut last = Client::joined(program.address(), "test").await;
    assert!(last.is_served().await);
    let waiting = program.metric("waiting_bytes") as usize;
    assert!(waiting > SLEEPERS * 64 * 1024, "{waiting} bytes wait for those that do not read");

    let mut config = AcceptConfig { outbox_total: waiting, ..AcceptConfig::default() };
    let of_none = {
        config.gate.clients = 0;
        config.most_memory()
    };
    config.gate.clients = IDLE + first.len() + SLEEPERS + 4;
    let of_all = config.most_memory() + waiting - of_none;
    let taken = resident().saturating_sub(before) as usize;
    assert!(taken <= of_all, "{taken} bytes, not {of_all}");
}
