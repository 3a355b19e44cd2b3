//! Joins in the desk alone, against the verification that each needs.

use std::{hint::black_box, net::IpAddr, time::Instant};

use rand_core::UnwrapErr;
use taiinet_identity::{Identity, Signed};
use taiinet_mesh::{
    Time,
    frame::{FromSignaller, Joined, Presence, ToSignaller, VERSION, codec},
};
use taiinet_signaller::{ClientId, Desk, DeskConfig, DeskInput, DeskOutput};

const NOW: Time = Time::from_millis(1_800_000_000_000);

pub(crate) fn measure(quick: bool) {
    let count = if quick { 2000 } else { 8000 };
    let generate = || Identity::generate(&mut UnwrapErr(getrandom::SysRng));
    let mut desk = Desk::new(generate(), DeskConfig::default(), [1; 32], NOW);
    let mut joins = Vec::new();
    for number in 0..count {
        let client = ClientId::from(number);
        let [.., a, b, c] = number.to_be_bytes();
        let address = IpAddr::from([10, a, b, c]);
        desk.handle(DeskInput::Connected { client, address }, NOW);
        let bytes = codec::encode(&ToSignaller::Knock { version: VERSION, nonce: [0; 32] });
        desk.handle(DeskInput::Message { client, bytes }, NOW);
        let Some(DeskOutput::Send { bytes, .. }) = desk.poll_output() else { panic!() };
        let Ok(FromSignaller::Welcome(welcome)) = codec::decode(&bytes) else { panic!() };
        let presence = Presence {
            network: "bench".parse().unwrap(),
            joined: Some(Joined { signaller: welcome.signaller, challenge: welcome.challenge }),
            issued_at: NOW.timestamp(),
            expires_at: NOW.after(taiinet_mesh::limits::PRESENCE_LIFE).timestamp(),
            address: None,
        };
        joins.push((client, Signed::new(&generate(), &presence)));
    }
    let verified = joins.clone();
    let begun = Instant::now();
    for (_, presence) in verified {
        black_box(presence.verify().unwrap());
    }
    let bare = count as f64 / begun.elapsed().as_secs_f64();

    let messages: Vec<(ClientId, Vec<u8>)> = joins
        .into_iter()
        .map(|(client, presence)| (client, codec::encode(&ToSignaller::Join { presence, work: 0 })))
        .collect();
    let begun = Instant::now();
    for (client, bytes) in messages {
        desk.handle(DeskInput::Message { client, bytes }, NOW);
        while desk.poll_output().is_some() {}
    }
    let ours = count as f64 / begun.elapsed().as_secs_f64();
    assert_eq!(desk.status().joined as u64, count);
    println!("joins: {ours:.0} /s, bare verification {bare:.0} /s, ratio {:.2}", ours / bare);
}
