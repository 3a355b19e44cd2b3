#![allow(clippy::unwrap_used)]

mod budgets;
mod circuits;
mod joins;
mod members;
mod pool;
mod renewal;
mod signals;
mod two;

use std::collections::BTreeMap;

use taiinet_identity::{Domain, Seed, Signed, seal};
use taiinet_mesh::{
    Direct, Input, LinkId,
    session::{Answer, Dialler, Opening, Purpose, Session},
    wire::{Joined, POOL, Presence, Signal, Undeliverable, VERSION, Welcome},
    work,
};

use super::*;

const URL: &str = "ws://here.example";
const NOW: Time = Time::from_millis(1_800_000_000_000);

fn identity(number: u8) -> Identity {
    Identity::from_seed(&Seed::from_bytes([number; 32]))
}

fn network(name: &str) -> Network {
    name.parse().unwrap()
}

/// A desk and its clients, which are called by their numbers.
struct Room {
    desk: Desk,
    now: Time,
    /// The clients' ends.
    sessions: BTreeMap<u64, Session>,
}

/// What a signaller said, and in which session: what a join has to answer.
#[derive(Debug)]
struct Welcomed {
    welcome: Welcome,
    challenge: [u8; 32],
}

/// The first message of a client, with the rest of its session to come.
fn opening(client: u64, version: u16, dialled: &str) -> (Dialler, Vec<u8>) {
    let opening = Opening { version, dialled: dialled.to_owned() };
    let seed = [client.to_le_bytes(); 4].concat().try_into().unwrap();
    Dialler::new(Purpose::Client, &opening, seed).unwrap()
}

impl Room {
    fn new(config: DeskConfig) -> Self {
        Self::of(Desk::new(identity(200), config, [5; 32], NOW))
    }

    fn of(desk: Desk) -> Self {
        Self { desk, now: NOW, sessions: BTreeMap::new() }
    }

    fn open(&mut self, client: u64) -> Vec<(u64, Option<FromSignaller>)> {
        self.open_from(client, IpAddr::from([10, 0, (client >> 8) as u8, client as u8]))
    }

    fn open_from(&mut self, client: u64, address: IpAddr) -> Vec<(u64, Option<FromSignaller>)> {
        self.desk.handle(DeskInput::Connected { client: client.into(), address }, self.now);
        self.outputs()
    }

    /// What is sent and (none) closed.
    fn outputs(&mut self) -> Vec<(u64, Option<FromSignaller>)> {
        core::iter::from_fn(|| self.desk.poll_output())
            .map(|output| match output {
                DeskOutput::Send { client, bytes } => {
                    (client.0, Some(receive(&mut self.sessions, client.0, &bytes)))
                }
                DeskOutput::Close { client, .. } => (client.0, None),
                pool => panic!("without a pool: {pool:?}"),
            })
            .collect()
    }

    fn say(&mut self, client: u64, frame: &ToSignaller) -> Vec<(u64, Option<FromSignaller>)> {
        let frame = codec::encode(frame);
        let bytes = match self.sessions.get_mut(&client) {
            Some(session) => session.seal(&frame).unwrap(),
            None => frame,
        };
        self.message(client, bytes)
    }

    fn message(&mut self, client: u64, bytes: Vec<u8>) -> Vec<(u64, Option<FromSignaller>)> {
        self.desk.handle(DeskInput::Message { client: client.into(), bytes }, self.now);
        self.outputs()
    }

    /// Makes a session; what the client is told in it.
    fn dial(&mut self, client: u64, version: u16, dialled: &str) -> Option<FromSignaller> {
        let (dialler, bytes) = opening(client, version, dialled);
        self.desk.handle(DeskInput::Message { client: client.into(), bytes }, self.now);
        let Some(DeskOutput::Send { bytes, .. }) = self.desk.poll_output() else { panic!() };
        match dialler.answered(&bytes).unwrap() {
            Answer::Session(session) => {
                self.sessions.insert(client, session);
                self.outputs().remove(0).1
            }
            Answer::Declined(Declined { reason, retry_after_ms }) => {
                self.outputs();
                Some(FromSignaller::Refused { reason, retry_after_ms })
            }
        }
    }

    fn knock(&mut self, client: u64) -> Welcomed {
        match self.dial(client, VERSION, URL) {
            Some(FromSignaller::Welcome(welcome)) => {
                Welcomed { welcome, challenge: *self.sessions[&client].hash() }
            }
            other => panic!("{other:?}"),
        }
    }

    fn presence(&self, welcomed: &Welcomed, name: &str) -> Presence {
        let Welcomed { welcome, challenge } = welcomed;
        Presence {
            network: network(name),
            joined: Some(Joined { signaller: welcome.signaller, challenge: *challenge }),
            issued_at: self.now.timestamp(),
            expires_at: self.now.after(Duration::from_secs(300)).timestamp(),
            address: None,
            next_key: None,
            archive: None,
            open: false,
        }
    }

    /// A client that has joined under the key of its number.
    fn join(&mut self, client: u64, name: &str) -> Welcomed {
        self.open(client);
        self.join_opened(client, name)
    }

    fn join_opened(&mut self, client: u64, name: &str) -> Welcomed {
        let welcome = self.knock(client);
        let presence = self.presence(&welcome, name);
        let join = ToSignaller::Join {
            presence: Signed::new(&identity(client as u8), &presence),
            work: 0,
        };
        assert_eq!(self.say(client, &join), [(client, Some(FromSignaller::Joined))]);
        welcome
    }

    /// A client that has knocked says a join made of `presence`: what it is refused for.
    fn try_join(&mut self, client: u64, presence: Signed<Presence>) -> Option<Refused> {
        let before = self.desk.status(self.now).refused;
        self.say(client, &ToSignaller::Join { presence, work: 0 });
        let after = self.desk.status(self.now).refused;
        after.iter().find(|(why, count)| before.get(why) != Some(*count)).map(|(why, _)| *why)
    }
}

/// What a client is told.
fn receive(sessions: &mut BTreeMap<u64, Session>, client: u64, bytes: &[u8]) -> FromSignaller {
    match sessions.get_mut(&client) {
        Some(session) => codec::decode(&session.open(bytes).unwrap()).unwrap(),
        None => {
            let Declined { reason, retry_after_ms } = codec::decode(bytes).unwrap();
            FromSignaller::Refused { reason, retry_after_ms }
        }
    }
}

fn refusal(answers: &[(u64, Option<FromSignaller>)]) -> Option<RefusalReason> {
    answers.iter().find_map(|(_, frame)| match frame {
        Some(FromSignaller::Refused { reason, .. }) => Some(*reason),
        _ => None,
    })
}

fn closed(answers: &[(u64, Option<FromSignaller>)], client: u64) -> bool {
    answers.contains(&(client, None))
}

fn signal(from: &Identity, to: PeerId, name: &str) -> Signed<Signal> {
    let mut rng = ChaCha12Rng::from_seed([9; 32]);
    let sealed = seal(&to, b"", b"hello", &mut rng).unwrap();
    let signal = Signal { network: network(name), to, sent_at: NOW.timestamp(), sealed };
    Signed::new(from, &signal)
}

fn sealed(from: u8, to: u8, bytes: usize) -> ToSignaller {
    let (network, sealed) = (network("a"), vec![0; bytes]);
    let to = identity(to).peer_id();
    let signal = Signal { network, to, sent_at: NOW.timestamp(), sealed };
    ToSignaller::Signal(Signed::new(&identity(from), &signal))
}

fn signals_to(answers: &[(u64, Option<FromSignaller>)], client: u64) -> usize {
    let theirs = answers.iter().filter(|(to, _)| *to == client);
    theirs.filter(|(_, frame)| matches!(frame, Some(FromSignaller::Signal(_)))).count()
}
