use taiinet_identity::Signature;

use super::*;
use crate::testing::{NOW, identity};

const LINK: LinkId = LinkId::from_raw(1);

/// One that took our join.
fn joined(rng: &mut Rng) -> Signallers {
    let mut signallers = Signallers::default();
    signallers.add(SignallerAddress { url: "ws://here".to_owned(), pinned: None }, NOW);
    assert!(matches!(signallers.due(NOW), Some(Due::Dial { index: 0, .. })));
    signallers.dialled(0, LINK, NOW);
    let Some(ToSignaller::Knock { nonce, .. }) = signallers.opened(LINK, rng, NOW) else {
        panic!("it does not knock");
    };
    let (identity, challenge) = (identity(1), [7; 32]);
    let transcript = Welcome::transcript(&nonce, &challenge);
    let welcome = Welcome {
        signaller: identity.peer_id(),
        challenge,
        signature: identity.sign(Domain::Welcome, &transcript),
        ice_servers: Vec::new(),
        work: 0,
    };
    assert!(signallers.welcome(LINK, &welcome, PeerId::from_bytes([1; 32]), NOW).is_ok());
    assert!(signallers.took_join(LINK, NOW).is_some());
    signallers
}

/// What is due at this moment, up to the end of the connection.
fn dues(signallers: &mut Signallers, now: Time) -> Vec<&'static str> {
    let mut dues = Vec::new();
    while let Some(due) = signallers.due(now) {
        dues.push(match due {
            Due::Dial { .. } => "dial",
            Due::Ping { .. } => "ping",
            Due::Join { .. } | Due::Works => "renew",
            Due::Drop { .. } => "drop",
        });
        if matches!(due, Due::Drop { .. }) {
            break;
        }
    }
    dues
}

#[test]
fn after_a_sleep_it_is_asked_before_it_is_judged() {
    let mut rng = Rng::new([1; 32]);
    let woken = NOW.after(limits::SIGNALLER_SILENCE * 2);
    let until = woken.after(limits::WAKE_PROBE);
    assert_eq!(dues(&mut joined(&mut rng), woken), ["drop"]);
    let mut signallers = joined(&mut rng);
    assert_eq!(signallers.probe(true, woken), [LINK]);
    assert_eq!(signallers.probe(false, woken), [], "it is being asked already");
    signallers.speaks(LINK, woken);
    assert_eq!(dues(&mut signallers, woken), [""; 0]);
    assert_eq!(signallers.deadline(), Some(until));
    assert_eq!(dues(&mut signallers, until), ["drop"]);
    let mut signallers = joined(&mut rng);
    signallers.probe(true, woken);
    signallers.speaks(LINK, woken);
    signallers.hears(LINK, until);
    assert_eq!(dues(&mut signallers, until), [""; 0]);
}

#[test]
fn one_that_dozes_is_patient_with_its_signallers() {
    let mut rng = Rng::new([2; 32]);
    let late = NOW.after(limits::DOZE_SILENCE / 2).after(limits::SIGNALLER_SILENCE / 2);
    let mut signallers = joined(&mut rng);
    signallers.dozing = true;
    assert_eq!(dues(&mut signallers, late), ["ping"]);
    assert_eq!(dues(&mut signallers, NOW.after(limits::DOZE_SILENCE)), ["drop"]);
}

#[test]
fn after_a_wake_it_is_asked_for_candidates_at_once() {
    let mut rng = Rng::new([3; 32]);
    let mut signallers = joined(&mut rng);
    let mut now = NOW;
    for _ in 0..10 {
        assert_eq!(signallers.ask(&mut rng, now), [LINK]);
        now = signallers.ask_deadline().expect("it may be asked again");
    }
    assert_eq!(signallers.ask(&mut rng, now), [LINK]);
    let soon = now.after(limits::INTRODUCE_BACKOFF.0);
    assert_eq!(signallers.ask(&mut rng, soon), [], "it helped little");
    signallers.wake(soon);
    assert_eq!(signallers.ask(&mut rng, soon), [LINK]);
}

#[test]
fn an_empty_stun_host_is_the_signallers_own() {
    let servers = ["stun::3478", "stun:stun.example:3478", "turn:relay.example:3478"];
    let welcome = Welcome {
        signaller: PeerId::from_bytes([0; 32]),
        challenge: [0; 32],
        signature: Signature::from_bytes([0; 64]),
        ice_servers: servers.map(str::to_owned).to_vec(),
        work: 0,
    };
    assert_eq!(
        ice_servers(&welcome, "wss://one.example:7700/ws"),
        ["stun:one.example:3478", "stun:stun.example:3478"].map(IceServer::stun)
    );
    assert_eq!(ice_servers(&welcome, "ws://[::1]:7700")[0].url, "stun:[::1]:3478");
}

/// People see these on their terminals (`taiinet doctor`), and libraries parse them.
#[test]
fn servers_with_anything_but_printable_ascii_are_not_taken() {
    let turn = |url: &str, username: &str, credential: &str| {
        let [url, username, credential] = [url, username, credential].map(str::to_owned);
        IceServer { url, username, credential }.is_well_formed()
    };
    assert!(turn("turn:relay.example:3478?transport=udp", "1800000000:tn1abc", "a+b/c="));
    for evil in
        ["\u{1b}[2J", "\u{9b}2J", "\u{202e}", "\u{7f}", "\n", " ", "\0", "\u{2028}", "\u{e9}"]
    {
        let url = format!("stun:{evil}one.example:3478");
        assert!(!turn(&url, "", "") && !turn("turn:one", evil, "") && !turn("turn:one", "", evil));
        let welcome = Welcome {
            signaller: PeerId::from_bytes([0; 32]),
            challenge: [0; 32],
            signature: Signature::from_bytes([0; 64]),
            ice_servers: vec![
                url,
                format!("stun::3478{evil}"),
                "stun:good.example:3478".to_owned(),
            ],
            work: 0,
        };
        let taken = ice_servers(&welcome, "wss://one.example");
        assert_eq!(taken, [IceServer::stun("stun:good.example:3478")], "{evil:?}");
        assert!(!is_address(&format!("ws://one{evil}.example")), "{evil:?}");
        assert!(!is_address(&format!("ws://one.example/{evil}")), "{evil:?}");
    }
}

#[test]
fn a_join_that_takes_work_is_made_in_pieces_and_only_when_it_is_done() {
    let mut rng = Rng::new([1; 32]);
    let identity = crate::testing::identity(9);
    let me = crate::testing::identity(1).peer_id();
    let address = SignallerAddress { url: "ws://one".to_owned(), pinned: None };
    let mut signallers = Signallers::default();
    signallers.add(address, NOW);
    signallers.dialled(0, LINK, NOW);
    let Some(ToSignaller::Knock { nonce, .. }) = signallers.opened(LINK, &mut rng, NOW) else {
        panic!("a knock")
    };
    let challenge = [7; 32];
    let signature = identity.sign(Domain::Welcome, &Welcome::transcript(&nonce, &challenge));
    let signaller = identity.peer_id();
    let welcome = Welcome { signaller, challenge, signature, ice_servers: Vec::new(), work: 16 };
    assert!(matches!(signallers.welcome(LINK, &welcome, me, NOW), Ok(None)), "not yet");
    let (mut now, mut pieces) = (NOW, 0);
    let work = loop {
        match signallers.due(now) {
            Some(Due::Join { work, .. }) => break work,
            Some(Due::Works) => pieces += 1,
            None => now = signallers.deadline().expect("it goes on"),
            due => panic!("{due:?}"),
        }
        assert!(now.since(NOW) < limits::WORK_TIMEOUT);
    };
    assert!(pieces > 1);
    assert!(crate::work::is_done(&challenge, &me, 16, work));
    assert!(signallers.due(now).is_none(), "once");
}

#[test]
fn an_address_is_a_host_with_a_port_and_path_or_without() {
    for good in [
        "ws://127.0.0.1:7700",
        "wss://one.example",
        "wss://one.example/a/b-c.d",
        "ws://[::1]:7700/ws",
        "ws://signaller-0.virtual",
    ] {
        assert!(is_address(good), "{good}");
    }
    let long = format!("ws://{}", "a".repeat(limits::ADDRESS_BYTES));
    for bad in [
        "",
        "ws://",
        "ws:///x",
        "ws://:1",
        "http://one.example",
        "wss://user@one.example",
        "wss://user:password@one.example:1",
        "ws://one.example:0",
        "ws://one.example:65536",
        "ws://one.example:",
        "ws://one.example:+1",
        "ws://one.example:8a",
        "ws://one.example#key",
        "ws://one.example?query",
        "ws://one.example/?query",
        "ws://one.example/#key",
        "ws://one example",
        "ws://one.example\\@other.example",
        "ws://[::1",
        "ws://[one]",
        "ws://[::1]x:1",
        "ws://one.example/a b",
        "ws://\u{fc}ber.example",
        &long,
    ] {
        assert!(!is_address(bad), "{bad}");
    }
}

#[test]
fn who_signs_anothers_address_does_not_stand_in_its_way_and_a_replay_moves_nobody() {
    let [squatter, honest, named] = [1, 2, 3].map(|number| identity(number).peer_id());
    let (at, later) = (NOW.timestamp(), NOW.after(core::time::Duration::from_secs(9)).timestamp());
    let mut signallers = Signallers::default();
    signallers.add(SignallerAddress { url: "ws://named".to_owned(), pinned: Some(named) }, NOW);
    assert!(signallers.learn("ws://honest", squatter, at, NOW));
    assert!(!signallers.knows("ws://honest", honest, at));
    assert!(signallers.learn("ws://honest", honest, at, NOW));
    // It moves, and what it said before does not bring it back.
    assert!(!signallers.learn("ws://moved", honest, later, NOW));
    assert!(!signallers.learn("ws://honest", honest, at, NOW));
    let urls = |signallers: &Signallers| -> Vec<String> {
        signallers.known.iter().map(|known| known.address.url.clone()).collect()
    };
    assert_eq!(urls(&signallers), ["ws://named", "ws://honest", "ws://moved"]);
    // What was named stays where it is, and nobody else's.
    assert!(!signallers.learn("ws://elsewhere", named, later, NOW));
    assert!(!signallers.learn("ws://named", squatter, later, NOW));
    assert_eq!(urls(&signallers), ["ws://named", "ws://honest", "ws://moved"]);
}
