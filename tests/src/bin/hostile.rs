//! A native peer that behaves until it is told not to: it links to its victim alone, over real WebRTC
//! and with an honest handshake, and then sends what the words on its stdin say.
//!
//! `hostile SIGNALLER NETWORK VICTIM` prints a line of JSON for all that happens; a line on stdin is
//! one of the words in [`Forgery`], or of `Flood` and how many: they are sent as fast as the link takes
//! them. A flood ends with its link, and each link that is `linked` is `closed`, whatever ended it. The program
//! ends with its stdin.

#[path = "hostile/flood.rs"]
mod flood;

use std::{
    net::IpAddr,
    process::ExitCode,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use taiinet_document::{Network, SignedDocument};
use taiinet_identity::{Identity, PeerId, Seed};
use taiinet_mesh::{
    Config, Dial, Event, Input, LinkFailure, LinkId, Output, Peer, SignallerAddress, Time,
    wire::{
        DocumentFrame, FindFrame, Frame, LinkFrame, Push,
        codec::{self, MessageReader, MessageWriter},
    },
};
use taiinet_sim::forge;
use taiinet_webrtc::{LinkInputs, Links, WebRtc, WebRtcConfig};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines, Stdin, stdin},
    time::sleep,
};

use self::flood::{Flood, Flooding};

/// Bytes of a flood on their way: more would cost the link here.
const WINDOW: usize = 96 * 1024;
/// The longest sleep, should the core have nothing due.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match Hostile::new(&args) {
        Ok(hostile) => {
            hostile.run().await;
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("{fault}\nusage: hostile SIGNALLER NETWORK VICTIM");
            ExitCode::from(2)
        }
    }
}

/// What it can be told to send.
#[derive(Debug, Clone, Copy)]
enum Forgery {
    /// `valid`: a document as it should be.
    Valid,
    /// `signature`: one whose signature does not hold.
    Signature,
    /// `body`: one that was changed after it was signed.
    Body,
    /// `network`: one of another network.
    Network,
    /// `future`: one dated a day ahead.
    Future,
    /// `malformed`: bytes that are no document, under a valid signature.
    Malformed,
    /// `bytes`: a message that is no frame.
    Bytes,
    /// `oversize`: a message larger than any may be.
    Oversize,
}

impl FromStr for Forgery {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "valid" => Ok(Self::Valid),
            "signature" => Ok(Self::Signature),
            "body" => Ok(Self::Body),
            "network" => Ok(Self::Network),
            "future" => Ok(Self::Future),
            "malformed" => Ok(Self::Malformed),
            "bytes" => Ok(Self::Bytes),
            "oversize" => Ok(Self::Oversize),
            other => Err(format!("no forgery: {other}")),
        }
    }
}

struct Hostile {
    identity: Identity,
    network: Network,
    victim: PeerId,
    peer: Peer,
    links: Links,
    inputs: LinkInputs,
    /// The link to the victim, once both have proven who they are.
    link: Option<LinkId>,
    /// The last flood on that link, and how many bytes the link has not passed on.
    flood: Option<Flooding>,
    under_way: usize,
}

impl Hostile {
    fn new(args: &[String]) -> Result<Self, String> {
        let [signaller, network, victim] = args else { return Err("three arguments".to_owned()) };
        let network: Network = network.parse().map_err(|error| format!("network: {error}"))?;
        let victim: PeerId = victim.parse().map_err(|error| format!("victim: {error}"))?;
        let identity = Identity::from_seed(&Seed::from_bytes(random()?));
        let config = Config {
            signallers: vec![SignallerAddress { url: signaller.clone(), pinned: None }],
            ..Config::new(network.clone())
        };
        let peer = Peer::new(identity.clone(), config, random()?, now());
        let (links, inputs) = Links::new(WebRtc::new(WebRtcConfig {
            bind: vec![IpAddr::from([127, 0, 0, 1])],
            ..WebRtcConfig::default()
        }));
        say(&json!({ "event": "started", "peer": identity.peer_id() }));
        Ok(Self {
            identity,
            network,
            victim,
            peer,
            links,
            inputs,
            link: None,
            flood: None,
            under_way: 0,
        })
    }

    async fn run(mut self) {
        let mut words = BufReader::new(stdin()).lines();
        while self.turn(&mut words).await {}
        self.peer.leave(now());
        self.drain();
        self.links.shutdown().await;
    }

    /// Waits for something to happen and handles it; false at the end of stdin.
    async fn turn(&mut self, words: &mut Lines<BufReader<Stdin>>) -> bool {
        if self.peer.poll_timeout().is_some_and(|due| due <= now()) {
            self.peer.handle_timeout(now());
        }
        self.drain();
        let due = self.peer.poll_timeout().map(|due| due.since(now()));
        tokio::select! {
            Some(input) = self.inputs.recv() => self.take(input),
            word = words.next_line() => match word {
                Ok(Some(word)) => self.obey(&word),
                _ => return false,
            },
            () = sleep(due.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP)) => {}
        }
        true
    }

    /// Sends of the flood what the link takes.
    fn pump(&mut self) {
        while let Some(link) = self.link
            && self.under_way < WINDOW
            && let Some(flood) = &mut self.flood
            && let Some(message) = flood.next(&self.identity, &self.network)
        {
            self.under_way += message.len();
            self.links.send(link, message);
            if flood.is_over() {
                say(&json!({ "event": "flooded", "messages": flood.sent() }));
            }
        }
    }

    /// The link has ended, or another has taken its place: what was under way on it is lost.
    fn lose(&mut self, cause: &str) {
        self.link = None;
        self.under_way = 0;
        let messages = self.flood.take().map_or(0, |flood| flood.sent());
        say(&json!({ "event": "closed", "cause": cause, "messages": messages }));
    }

    fn take(&mut self, input: Input) {
        if let Input::Sent { link, bytes } = &input
            && self.link == Some(*link)
        {
            self.under_way = self.under_way.saturating_sub(*bytes);
            self.pump();
        }
        let input = match input {
            Input::Message { link, bytes } if self.link == Some(link) => {
                Input::Message { link, bytes: without_answers(bytes) }
            }
            Input::LinkDown { link, cause } if self.link == Some(link) => {
                self.lose(&cause.to_string());
                Input::LinkDown { link, cause }
            }
            input => input,
        };
        self.peer.handle(input, now());
    }

    fn drain(&mut self) {
        while let Some(output) = self.peer.poll_output(now()) {
            match output {
                Output::Dial { link, dial } if self.may(&dial) => self.links.dial(link, dial),
                Output::Dial { link, .. } => {
                    let cause = LinkFailure::Unreachable("of no interest".to_owned());
                    self.peer.handle(Input::LinkDown { link, cause }, now());
                }
                Output::Negotiate { link, part } => self.links.negotiate(link, part),
                Output::Send { link, bytes, .. } => self.links.send(link, bytes),
                Output::Close { link } => self.links.close(link),
                Output::Event(Event::PeerConnected { link, peer }) => {
                    if self.link.is_some() {
                        self.lose("another took its place");
                    }
                    self.link = Some(link);
                    say(&json!({ "event": "linked", "peer": peer }));
                }
                // Why a link was `closed` here.
                Output::Event(Event::PeerDisconnected { peer, cause }) => {
                    say(
                        &json!({ "event": "disconnected", "peer": peer, "cause": cause.to_string() }),
                    );
                }
                _ => {}
            }
        }
    }

    /// It links to its victim alone, so that no other peer can have anything from it.
    fn may(&self, dial: &Dial) -> bool {
        match dial {
            Dial::Offer { to, .. } | Dial::Answer { to, .. } => *to == self.victim,
            Dial::Signaller { .. } => true,
            Dial::Direct { .. } => false,
        }
    }

    fn obey(&mut self, word: &str) {
        if let Some((flood, count)) = word.split_once(' ')
            && let (Ok(flood), Ok(count)) = (flood.parse::<Flood>(), count.parse())
            && self.link.is_some()
        {
            self.flood = Some(Flooding::new(flood, count, now()));
            say(&json!({ "event": "begins", "word": word }));
            return self.pump();
        }
        let (Some(link), Ok(forgery)) = (self.link, word.parse()) else {
            return say(
                &json!({ "event": "refused", "word": word, "linked": self.link.is_some() }),
            );
        };
        let (id, message) = self.forge(forgery, word);
        self.links.send(link, message);
        say(&json!({ "event": "sent", "word": word, "id": id }));
    }

    /// The message, and the id of the document in it if it has one.
    fn forge(&self, forgery: Forgery, word: &str) -> (Option<String>, Vec<u8>) {
        let millis = now().as_millis();
        let content = json!({ "from": "hostile", "word": word, "at": millis }).to_string();
        let valid = forge::document(&self.identity, &self.network, millis, &content);
        let document = match forgery {
            Forgery::Valid => valid,
            Forgery::Signature => forge::with_bad_signature(&valid),
            Forgery::Body => with_changed_body(&valid),
            Forgery::Network => {
                let other = "some-other-network".parse().unwrap_or_else(|_| self.network.clone());
                forge::document(&self.identity, &other, millis, &content)
            }
            Forgery::Future => {
                forge::document(&self.identity, &self.network, millis + 86_400_000, &content)
            }
            Forgery::Malformed => {
                let push = forge::raw_push(&self.identity, 0, b"\xff\xff\xff no document");
                let mut message = MessageWriter::default();
                message.push(&push);
                return (None, message.finish());
            }
            Forgery::Bytes => return (None, vec![0xff; 64]),
            Forgery::Oversize => return (None, vec![0xff; 40 * 1024]),
        };
        let id = document.id().to_string();
        (
            Some(id),
            codec::message(&[Frame::Documents(DocumentFrame::Push(Push { hops: 0, document }))]),
        )
    }
}

/// The last byte of a document's content is another, the signature as it was.
fn with_changed_body(document: &SignedDocument) -> SignedDocument {
    let mut bytes = codec::encode(document);
    if let Some(byte) = bytes.last_mut() {
        *byte ^= 1;
    }
    codec::decode(&bytes).unwrap_or_else(|_| document.clone())
}

/// Our core knows nothing of what we forged, and would take an answer to it for an offence. In the place of each
/// stands an acknowledgement of nothing: in a flood they may be all that says that the victim is there.
fn without_answers(message: Vec<u8>) -> Vec<u8> {
    let Ok(frames) = MessageReader::new(&message) else { return message };
    let nothing = codec::encode(&Frame::Link(LinkFrame::Ack(0)));
    let mut kept = MessageWriter::default();
    for frame in frames.flatten() {
        let answers = matches!(
            codec::decode(frame),
            Ok(Frame::Link(LinkFrame::Ack(_)) | Frame::Find(FindFrame::Found(_)))
        );
        kept.push(if answers { &nothing } else { frame });
    }
    kept.finish()
}

fn random() -> Result<[u8; 32], String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn say(line: &Value) {
    println!("{line}");
}
