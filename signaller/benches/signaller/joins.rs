//! Joins in the desk alone, against the verification that each needs.

use std::{
    hint::black_box,
    net::IpAddr,
    time::{Duration, Instant},
};

use rand_core::UnwrapErr;
use taiinet_identity::{Domain, Identity, PeerId, Signed};
use taiinet_mesh::{
    Time,
    session::{Answer, Dialler, Opening, Purpose, Session},
    wire::{FromSignaller, Joined, Presence, ToSignaller, VERSION, codec},
};
use taiinet_signaller::{ClientId, Desk, DeskConfig, DeskInput, DeskOutput};

const NOW: Time = Time::from_millis(1_800_000_000_000);
/// Joins that are timed together.
const BATCH: usize = 20;

pub(crate) fn measure(quick: bool) {
    let (count, rounds) = if quick { (1000, 3) } else { (4000, 7) };
    let generate = || Identity::generate(&mut UnwrapErr(getrandom::SysRng));
    let signaller = generate();
    // From one seed come the same sessions each time, so the same joins are of them.
    let open = || Desk::new(signaller.clone(), DeskConfig::default(), [1; 32], NOW);

    let joins: Vec<_> = {
        let mut desk = open();
        let clients: Vec<Identity> = (0..count).map(|_| generate()).collect();
        let join = |(number, client)| {
            let (joined, session) = knock(&mut desk, number);
            (presence(client, joined), session)
        };
        (0..).zip(&clients).map(join).collect::<Vec<_>>()
    };
    let bare: Vec<Bare> = joins.iter().map(|(presence, _)| Bare::new(presence)).collect();
    let messages: Vec<Vec<u8>> = joins
        .into_iter()
        .map(|(presence, mut session)| {
            session.seal(&codec::encode(&ToSignaller::Join { presence, work: 0 })).unwrap()
        })
        .collect();

    // The best of several rounds for each batch, and each in turn: what a busy neighbour on the
    // machine takes away falls out.
    let batches = count / BATCH;
    let fresh = || vec![Duration::MAX; batches];
    let (mut ours, mut knocks, mut strict, mut decoded) = (fresh(), fresh(), fresh(), fresh());
    for _ in 0..rounds {
        let mut desk = open();
        for batch in 0..batches {
            let range = batch * BATCH..(batch + 1) * BATCH;
            let best = |best: &mut Vec<Duration>, work: &mut dyn FnMut(usize)| {
                let begun = Instant::now();
                range.clone().for_each(work);
                best[batch] = best[batch].min(begun.elapsed());
            };
            best(&mut knocks, &mut |number| drop(knock(&mut desk, number as u64)));
            best(&mut strict, &mut |number| bare[number].verify());
            best(&mut decoded, &mut |number| bare[number].decode_and_verify());
            best(&mut ours, &mut |number| {
                let client = ClientId::from(number as u64);
                let bytes = messages[number].clone();
                desk.handle(DeskInput::Message { client, bytes }, NOW);
                while desk.poll_output().is_some() {}
            });
        }
        assert_eq!(desk.status(NOW).joined, count);
    }
    let rate = |best: &[Duration]| count as f64 / best.iter().sum::<Duration>().as_secs_f64();
    let (ours, knocks, strict, decoded) =
        (rate(&ours), rate(&knocks), rate(&strict), rate(&decoded));
    println!("{:<40} {:>7}   ours to it", "joins", "/s");
    println!("{:<40} {ours:>7.0}", "desk: decoded, checked, answered");
    let print =
        |name, rate: f64, aim| println!("{name:<40} {rate:>7.0}   {:>10.2}   {aim}", ours / rate);
    print("bare verify_strict, the key at hand", strict, "(aim: at least 0.8)");
    print("the key decoded and verify_strict", decoded, "");
    println!("{:<40} {knocks:>7.0}", "desk and client: sessions before it, signed");
}

/// Connects and makes a session: what a join has to name.
fn knock(desk: &mut Desk, number: u64) -> (Joined, Session) {
    let client = ClientId::from(number);
    let [.., a, b, c] = number.to_be_bytes();
    desk.handle(DeskInput::Connected { client, address: IpAddr::from([10, a, b, c]) }, NOW);
    let opening = Opening { version: VERSION, dialled: "ws://signaller.example".to_owned() };
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    let (dialler, bytes) = Dialler::new(Purpose::Client, &opening, seed).unwrap();
    desk.handle(DeskInput::Message { client, bytes }, NOW);
    let Some(DeskOutput::Send { bytes, .. }) = desk.poll_output() else { panic!("an answer") };
    let Ok(Answer::Session(mut session)) = dialler.answered(&bytes) else { panic!("a session") };
    let Some(DeskOutput::Send { bytes, .. }) = desk.poll_output() else { panic!("a welcome") };
    let bytes = session.open(&bytes).unwrap();
    let Ok(FromSignaller::Welcome(welcome)) = codec::decode(&bytes) else { panic!("a welcome") };
    (Joined { signaller: welcome.signaller, challenge: *session.hash() }, session)
}

fn presence(client: &Identity, joined: Joined) -> Signed<Presence> {
    let presence = Presence {
        network: "bench".parse().unwrap(),
        joined: Some(joined),
        issued_at: NOW.timestamp(),
        expires_at: NOW.after(taiinet_mesh::limits::PRESENCE_LIFE).timestamp(),
        address: None,
        next_key: None,
        archive: None,
        open: false,
    };
    Signed::new(client, &presence)
}

/// What the check of one join's signature works on.
struct Bare {
    key: ed25519_dalek::VerifyingKey,
    message: Vec<u8>,
    signature: ed25519_dalek::Signature,
}

impl Bare {
    fn new(presence: &Signed<Presence>) -> Self {
        let body = codec::encode(&presence.peek().unwrap());
        let message =
            [Domain::Presence.as_str().as_bytes(), blake3::hash(&body).as_bytes()].concat();
        let wire = codec::encode(presence);
        let signature = wire[PeerId::LEN..][..64].try_into().unwrap();
        let key = ed25519_dalek::VerifyingKey::from_bytes(presence.signer().as_bytes()).unwrap();
        Self { key, message, signature: ed25519_dalek::Signature::from_bytes(signature) }
    }

    fn verify(&self) {
        black_box(&self.key).verify_strict(black_box(&self.message), &self.signature).unwrap();
    }

    fn decode_and_verify(&self) {
        let key = ed25519_dalek::VerifyingKey::from_bytes(black_box(self.key.as_bytes())).unwrap();
        key.verify_strict(black_box(&self.message), &self.signature).unwrap();
    }
}
