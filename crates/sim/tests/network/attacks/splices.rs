//! Attackers that stand between two ends of a WebSocket, and would be each to the other.

use core::time::Duration;

use taiinet_mesh::{
    ChannelBinding, Config, Dial, Direct, Input, LinkId, Misbehaviour, Output, Peer,
    SignallerAddress, Time,
    session::{self, Answer, Dialler, Opening, Purpose, Session},
    wire::{FromSignaller, RefusalReason, VERSION, Welcome, codec},
};
use taiinet_signaller::{ClientId, Desk, DeskConfig, DeskInput, DeskOutput};

use crate::common::network;

const NOW: Time = Time::from_millis(1_800_000_000_000);
const MALLORY: &str = "wss://mallory.example";
const HONEST: &str = "wss://honest.example";

fn identity(number: u8) -> taiinet_identity::Identity {
    taiinet_identity::Identity::from_seed(&taiinet_identity::Seed::from_bytes([number; 32]))
}

/// What Mallory does with a peer that dials it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Play {
    /// Makes a session with each end, and passes on what each says to the other.
    Splice,
    /// As before, but says that it is itself the signaller: the join that it gets is passed on.
    OwnName,
    /// Passes on the bytes as they come.
    Wire,
    /// As before, but changes one.
    Tamper,
}

/// The one in the middle: what it knows of both sides.
struct Mallory {
    play: Play,
    purpose: Purpose,
    /// With the victim that dialled it, and with the honest signaller that it dialled.
    victim: Option<Session>,
    dialler: Option<Dialler>,
    honest: Option<Session>,
    /// What the victim said before there was a session with the honest one.
    waiting: Vec<Vec<u8>>,
    /// All that crossed.
    seen: Vec<Vec<u8>>,
}

#[derive(Debug)]
enum To {
    Victim(Vec<u8>),
    Honest(Vec<u8>),
}

impl Mallory {
    fn new(play: Play, purpose: Purpose) -> Self {
        let (victim, dialler, honest) = (None, None, None);
        Self { play, purpose, victim, dialler, honest, waiting: Vec::new(), seen: Vec::new() }
    }

    fn hears_victim(&mut self, bytes: Vec<u8>) -> Vec<To> {
        self.seen.push(bytes.clone());
        if matches!(self.play, Play::Wire | Play::Tamper) {
            return vec![To::Honest(self.changed(bytes))];
        }
        let Some(session) = &mut self.victim else {
            let (session, answer) =
                session::accept(self.purpose, &bytes, [66; 32]).expect("an opening");
            self.victim = Some(session);
            let opening = Opening { version: VERSION, dialled: HONEST.to_owned() };
            let (dialler, first) =
                Dialler::new(self.purpose, &opening, [67; 32]).expect("an opening");
            self.dialler = Some(dialler);
            return vec![To::Victim(answer), To::Honest(first)];
        };
        let said = session.open(&bytes).expect("of the session");
        match &mut self.honest {
            Some(honest) => vec![To::Honest(honest.seal(&said).expect("it fits"))],
            None => {
                self.waiting.push(said);
                Vec::new()
            }
        }
    }

    fn hears_honest(&mut self, bytes: Vec<u8>) -> Vec<To> {
        self.seen.push(bytes.clone());
        if matches!(self.play, Play::Wire | Play::Tamper) {
            return vec![To::Victim(bytes)];
        }
        let Some(honest) = &mut self.honest else {
            let dialler = self.dialler.take().expect("it dialled");
            let Ok(Answer::Session(mut honest)) = dialler.answered(&bytes) else {
                panic!("a session")
            };
            let seal = |said: Vec<u8>| To::Honest(honest.seal(&said).expect("it fits"));
            let said = self.waiting.drain(..).map(seal).collect();
            self.honest = Some(honest);
            return said;
        };
        let mut said = honest.open(&bytes).expect("of the session");
        let victim = self.victim.as_mut().expect("it dialled first");
        if self.play == Play::OwnName
            && let Ok(FromSignaller::Welcome(welcome)) = codec::decode(&said)
        {
            let me = identity(66);
            let signature = me.sign(taiinet_identity::Domain::Welcome, victim.hash());
            let welcome = Welcome { signaller: me.peer_id(), signature, ..welcome };
            said = codec::encode(&FromSignaller::Welcome(welcome));
        }
        vec![To::Victim(victim.seal(&said).expect("it fits"))]
    }

    fn changed(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        // The first messages make the session; it could as well cut the connection.
        if self.play == Play::Tamper && self.seen.len() > 3 {
            bytes[0] ^= 1;
        }
        bytes
    }
}

/// A peer that dials Mallory, and an honest signaller that Mallory dials.
fn client(play: Play, known_as: Option<&str>) -> (Peer, Desk, Mallory) {
    let mut config = Config::new(network());
    config.signallers.push(SignallerAddress { url: MALLORY.to_owned(), pinned: None });
    let mut peer = Peer::new(identity(1), config, [1; 32], NOW);
    let known_as = known_as.map(|url| vec![url.to_owned()]);
    let config = DeskConfig { known_as, ..DeskConfig::default() };
    let mut desk = Desk::new(identity(2), config, [2; 32], NOW);
    let mut mallory = Mallory::new(play, Purpose::Client);
    let client = ClientId::from(1);
    desk.handle(DeskInput::Connected { client, address: [192, 0, 2, 66].into() }, NOW);
    peer.handle_timeout(NOW);
    let (mut link, mut down) = (None, false);
    for _ in 0..100 {
        let (mut crossing, mut closing) = (Vec::new(), false);
        while let Some(output) = peer.poll_output(NOW) {
            match output {
                Output::Dial { link: dialled, dial: Dial::Signaller { .. } } => {
                    link = Some(dialled);
                    let binding = ChannelBinding::NONE;
                    peer.handle(Input::LinkUp { link: dialled, binding }, NOW);
                }
                Output::Send { bytes, .. } => crossing.extend(mallory.hears_victim(bytes)),
                Output::Close { .. } => closing = true,
                _ => {}
            }
        }
        while let Some(output) = desk.poll_output() {
            match output {
                DeskOutput::Send { bytes, .. } => crossing.extend(mallory.hears_honest(bytes)),
                DeskOutput::Close { .. } => closing = true,
                pool => panic!("{pool:?}"),
            }
        }
        for message in crossing {
            match (message, link) {
                (To::Victim(bytes), Some(link)) if !down => {
                    peer.handle(Input::Message { link, bytes }, NOW);
                }
                (To::Honest(bytes), _) => desk.handle(DeskInput::Message { client, bytes }, NOW),
                _ => {}
            }
        }
        // What was said last still arrives.
        down |= closing;
    }
    (peer, desk, mallory)
}

fn joined(peer: &Peer, desk: &Desk) -> (bool, usize) {
    (peer.status(NOW).signallers[0].joined, desk.status(NOW).joined)
}

#[test]
fn a_signaller_cannot_pass_a_join_on_to_another_as_its_own() {
    let (peer, desk, _) = client(Play::Splice, None);
    assert_eq!(joined(&peer, &desk), (false, 0));
    let rejected = peer.status(NOW).counters.rejected;
    assert_eq!(rejected.get(&Misbehaviour::BadProof), Some(&1), "{rejected:?}");
    // Nor the join that it was given in its own name.
    let (peer, desk, _) = client(Play::OwnName, None);
    assert_eq!(joined(&peer, &desk), (false, 0));
    let refused = desk.status(NOW).refused;
    assert_eq!(refused.get(&taiinet_signaller::Refused::Challenge), Some(&1), "{refused:?}");
}

/// What is left to it is to be a wire: it reads nothing, changes nothing, and a signaller that knows its
/// own addresses does not serve over it.
#[test]
fn a_peer_that_passes_on_the_bytes_as_they_come_is_a_wire_and_no_more() {
    let (peer, desk, mallory) = client(Play::Wire, None);
    assert_eq!(joined(&peer, &desk), (true, 1));
    let name = peer.id();
    let shows = |bytes: &Vec<u8>| bytes.windows(32).any(|part| part == name.as_bytes());
    assert!(mallory.seen.len() > 3 && !mallory.seen.iter().any(shows));

    let (peer, desk, _) = client(Play::Tamper, None);
    assert_eq!(joined(&peer, &desk), (false, 0));
    assert_eq!(desk.status(NOW).blacklisted, 0);

    let (peer, desk, _) = client(Play::Wire, Some(HONEST));
    assert_eq!(joined(&peer, &desk), (false, 0));
    let why = peer.status(NOW).signallers[0].failure.clone();
    assert_eq!(why, Some(taiinet_mesh::Disconnect::Refused(RefusalReason::Address)));
}

/// Two signallers of a pool, the first of which dials Mallory: how many members each has in the end.
fn pool(play: Play, known_as: Option<&str>) -> (usize, usize) {
    let seed = SignallerAddress { url: MALLORY.to_owned(), pinned: None };
    let direct = |seeds| Direct { seeds, ..Direct::default() };
    let config = |direct| DeskConfig { pool: Some(direct), ..DeskConfig::default() };
    let mut one = Desk::new(identity(1), config(direct(vec![seed])), [1; 32], NOW);
    let known_as = known_as.map(|url| vec![url.to_owned()]);
    let other = config(Direct { known_as, ..direct(Vec::new()) });
    let mut other = Desk::new(identity(2), other, [2; 32], NOW);
    let mut mallory = Mallory::new(play, Purpose::Pool);
    let (mut now, mut ends) = (NOW, None::<(LinkId, LinkId)>);
    for _ in 0..200 {
        now = now.after(Duration::from_millis(10));
        one.handle_timeout(now);
        other.handle_timeout(now);
        let mut crossing = Vec::new();
        while let Some(output) = one.poll_output() {
            match output {
                DeskOutput::Dial { link, .. } if ends.is_none() => {
                    let theirs = other.accept([192, 0, 2, 66].into(), now).expect("a pool");
                    ends = Some((link, theirs));
                    let up = Input::LinkUp { link, binding: ChannelBinding::NONE };
                    one.handle(DeskInput::Pool(up), now);
                }
                DeskOutput::SendTo { bytes, .. } => crossing.extend(mallory.hears_victim(bytes)),
                _ => {}
            }
        }
        while let Some(output) = other.poll_output() {
            if let DeskOutput::SendTo { bytes, .. } = output {
                crossing.extend(mallory.hears_honest(bytes));
            }
        }
        let Some((ours, theirs)) = ends else { continue };
        for message in crossing {
            let (desk, link, bytes) = match message {
                To::Victim(bytes) => (&mut one, ours, bytes),
                To::Honest(bytes) => (&mut other, theirs, bytes),
            };
            desk.handle(DeskInput::Pool(Input::Message { link, bytes }), now);
        }
    }
    let status = |desk: &Desk| {
        let status = desk.status(now);
        assert_eq!(status.blacklisted, 0, "no peer pays for what Mallory does");
        status.members
    };
    (status(&one), status(&other))
}

#[test]
fn nobody_stands_between_two_signallers_of_a_pool() {
    assert_eq!(pool(Play::Splice, None), (0, 0));
    assert_eq!(pool(Play::Tamper, None), (0, 0));
    // A wire, as every carrier of packets is.
    assert_eq!(pool(Play::Wire, None), (1, 1));
    assert_eq!(pool(Play::Wire, Some(HONEST)), (0, 0), "not at an address that is not its own");
}
