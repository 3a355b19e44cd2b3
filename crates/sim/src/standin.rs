//! A stand-in for the desk, until it is there.
#![allow(missing_docs)]
use core::net::IpAddr;
use std::collections::{BTreeMap, VecDeque};
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng as _, SeedableRng as _};
use taiinet_identity::{Domain, Identity, PeerId, Signed};
use taiinet_mesh::{Time, frame::{FromSignaller, Presence, ToSignaller, Welcome, codec}};
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientId(pub u64);
#[derive(Debug, Clone, Default)]
pub struct DeskConfig;
#[derive(Debug)]
pub enum DeskInput { Connected { client: ClientId, address: IpAddr }, Message { client: ClientId, bytes: Vec<u8> }, Disconnected { client: ClientId }, Drain }
#[derive(Debug)]
pub enum DeskOutput { Send { client: ClientId, bytes: Vec<u8> }, Close { client: ClientId } }
#[derive(Debug)]
pub struct Desk { identity: Identity, rng: ChaCha12Rng, clients: BTreeMap<ClientId, Option<Signed<Presence>>>, out: VecDeque<DeskOutput> }
impl Desk {
    pub fn new(identity: Identity, _: DeskConfig, seed: [u8; 32], _: Time) -> Self { Self { identity, rng: ChaCha12Rng::from_seed(seed), clients: BTreeMap::new(), out: VecDeque::new() } }
    fn say(&mut self, client: ClientId, frame: &FromSignaller) { self.out.push_back(DeskOutput::Send { client, bytes: codec::encode(frame) }); }
    fn find(&self, peer: &PeerId) -> Option<ClientId> { self.clients.iter().filter(|(_, p)| p.as_ref().is_some_and(|p| p.signer() == *peer)).map(|(c, _)| *c).next_back() }
    pub fn handle(&mut self, input: DeskInput, _now: Time) {
        match input {
            DeskInput::Connected { client, .. } => { self.clients.insert(client, None); }
            DeskInput::Disconnected { client } => { self.clients.remove(&client); }
            DeskInput::Drain => {}
            DeskInput::Message { client, bytes } => match codec::decode::<ToSignaller>(&bytes) {
                Ok(ToSignaller::Knock { nonce, .. }) => {
                    let mut challenge = [0; 32]; self.rng.fill_bytes(&mut challenge);
                    let signature = self.identity.sign(Domain::Welcome, &Welcome::transcript(&nonce, &challenge));
                    let w = Welcome { signaller: self.identity.peer_id(), challenge, signature, ice_servers: vec![] };
                    self.say(client, &FromSignaller::Welcome(w));
                }
                Ok(ToSignaller::Join(presence)) => { self.clients.insert(client, Some(presence)); self.say(client, &FromSignaller::Joined); }
                Ok(ToSignaller::Introduce { want }) => {
                    let me = self.clients.get(&client).cloned().flatten();
                    let Some(me) = me else { return };
                    let network = me.peek().expect("x").network;
                    let mut all: Vec<_> = self.clients.iter().filter(|(c, _)| **c != client).filter_map(|(_, p)| p.clone()).filter(|p| p.peek().is_ok_and(|b| b.network == network)).collect();
                    let n = all.len();
                    for i in 0..n.min(want as usize) { let j = i + (self.rng.next_u64() % (n - i) as u64) as usize; all.swap(i, j); }
                    all.truncate(want as usize);
                    self.say(client, &FromSignaller::Introduced { presences: all, retry_after_ms: 0 });
                }
                Ok(ToSignaller::Signal(signal)) => {
                    let to = signal.peek().expect("x").to;
                    match self.find(&to) { Some(c) => self.say(c, &FromSignaller::Signal(signal)), None => self.say(client, &FromSignaller::Unreachable(to)) }
                }
                Ok(ToSignaller::Ping(n)) => self.say(client, &FromSignaller::Pong(n)),
                Ok(ToSignaller::Leave) => { self.clients.insert(client, None); }
                Err(_) => self.out.push_back(DeskOutput::Close { client }),
            },
        }
    }
    pub fn poll_output(&mut self) -> Option<DeskOutput> { self.out.pop_front() }
    pub fn poll_timeout(&self) -> Option<Time> { None }
    pub fn handle_timeout(&mut self, _: Time) {}
}
