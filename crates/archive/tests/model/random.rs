//! Documents by chance, few enough names and times that they meet.

use proptest::{prelude::*, sample::Index};
use taiinet_document::{
    Content, Deletion, Document, DocumentIds, Key, Map, Network, PeerSet, Timestamp, Value,
    VerifiedDocument, Writers,
};
use taiinet_identity::{Identity, Seed};

pub(crate) fn network() -> Network {
    "test".parse().expect("a name")
}

pub(crate) fn author(number: u8) -> Identity {
    Identity::from_seed(&Seed::from_bytes([number; 32]))
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Admit(Box<VerifiedDocument>),
    Wait(u64),
    Commit,
    /// Closes and opens again.
    Open,
}

impl Step {
    pub(crate) fn document(&self) -> Option<&VerifiedDocument> {
        match self {
            Self::Admit(document) => Some(document),
            _ => None,
        }
    }
}

/// A step before its documents are signed, for deletions name them.
#[derive(Debug, Clone)]
pub(crate) enum Plan {
    Write(Box<Draft>),
    /// Of other steps, which may come later.
    Delete {
        author: u8,
        at: u64,
        expires: Option<u64>,
        victims: Vec<Index>,
    },
    Again(Index),
    Wait(u64),
    Commit,
    Open,
}

#[derive(Debug, Clone)]
pub(crate) struct Draft {
    author: u8,
    at: u64,
    expires: Option<u64>,
    nonce: u32,
    key: Option<(bool, u8)>,
    content: Option<Map>,
}

const START: u64 = 1_000_000;

fn draft() -> impl Strategy<Value = Draft> {
    (
        (0..3_u8, 0..20_u64, prop::option::weighted(0.3, 1..30_u64), 0..4_u32),
        prop::option::weighted(0.6, (any::<bool>(), 0..6_u8)),
        prop::option::weighted(0.85, content()),
    )
        .prop_map(|((author, at, expires, nonce), key, content)| Draft {
            author,
            at,
            expires,
            nonce,
            key,
            content,
        })
}

fn content() -> impl Strategy<Value = Map> {
    let number = prop_oneof![
        (0..6_i64).prop_map(Value::Int),
        (0..12_u8).prop_map(|half| Value::Float(f64::from(half) / 2.0)),
    ];
    let value = prop_oneof![
        6 => number.clone(),
        2 => prop::collection::vec(number, 0..4).prop_map(Value::List),
        1 => prop::collection::vec(0..100_i64, 33..40)
            .prop_map(|many| Value::List(many.into_iter().map(Value::Int).collect())),
        1 => Just(Value::Null),
        1 => Just(Value::from("three")),
    ];
    let kind = prop_oneof![
        3 => Just("tweet".to_owned()),
        2 => Just("post".to_owned()),
        1 => Just("tw".to_owned()),
        1 => (0..3_usize).prop_map(|more| format!("{}{}", "x".repeat(94 + more), more)),
    ];
    let field = |value: BoxedStrategy<Value>| prop::option::weighted(0.85, value);
    let fields = (
        field(value.clone().boxed()),
        field(kind.prop_map(Value::from).boxed()),
        field(value.boxed()),
    );
    fields.prop_map(|(likes, kind, other)| {
        let named = [("likes", likes), ("type", kind), ("other", other)];
        named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    })
}

pub(crate) fn document_step() -> impl Strategy<Value = Plan> {
    let expires = || prop::option::weighted(0.3, 1..30_u64);
    prop_oneof![
        8 => draft().prop_map(|draft| Plan::Write(Box::new(draft))),
        2 => (0..3_u8, 5..20_u64, expires(), prop::collection::vec(any::<Index>(), 1..4))
            .prop_map(|(author, at, expires, victims)| Plan::Delete { author, at, expires, victims }),
    ]
}

pub(crate) fn step() -> impl Strategy<Value = Plan> {
    prop_oneof![
        12 => document_step(),
        1 => any::<Index>().prop_map(Plan::Again),
        2 => (1..6_u64).prop_map(Plan::Wait),
        1 => Just(Plan::Commit),
        1 => Just(Plan::Open),
    ]
}

/// The steps, with their documents signed.
pub(crate) fn steps(
    plan: impl Strategy<Value = Plan>,
    most: usize,
) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(plan, 1..most).prop_map(|plans| {
        let written: Vec<VerifiedDocument> = plans.iter().filter_map(sign).collect();
        let mut admitted = Vec::<VerifiedDocument>::new();
        let mut steps = Vec::new();
        for plan in &plans {
            let document = match plan {
                Plan::Write(_) => sign(plan),
                Plan::Delete { author, at, expires, victims } => {
                    // Mostly its own documents.
                    let own: Vec<_> = (written.iter())
                        .filter(|document| document.author() == self::author(*author).peer_id())
                        .collect();
                    let ids = victims.iter().filter_map(|victim| {
                        let from =
                            if own.is_empty() { written.iter().collect() } else { own.clone() };
                        (!from.is_empty()).then(|| victim.get(&from).id())
                    });
                    let ids = DocumentIds::new(ids).ok();
                    ids.map(|ids| {
                        let content = Content::Deleted(Deletion::Documents(ids));
                        signed(*author, *at, *expires, 0, None, content)
                    })
                }
                Plan::Again(index) => (!admitted.is_empty()).then(|| index.get(&admitted).clone()),
                Plan::Wait(millis) => {
                    steps.push(Step::Wait(*millis));
                    None
                }
                Plan::Commit => {
                    steps.push(Step::Commit);
                    None
                }
                Plan::Open => {
                    steps.push(Step::Open);
                    None
                }
            };
            admitted.extend(document.clone());
            steps.extend(document.map(Box::new).map(Step::Admit));
        }
        steps
    })
}

fn sign(plan: &Plan) -> Option<VerifiedDocument> {
    let Plan::Write(draft) = plan else { return None };
    let Draft { author, at, expires, nonce, key, content } = &**draft;
    let key = key.map(|(name, sharing)| {
        let name = if name { "a" } else { "b" };
        match sharing {
            0 | 1 => Key::new(name),
            2 => Key::shared(name, Writers::Anyone),
            3 => {
                let peers = PeerSet::new([self::author((author + 1) % 3).peer_id()]);
                Key::shared(name, Writers::Peers(peers.expect("one")))
            }
            other => Key::of(name, self::author((author + other) % 3).peer_id()),
        }
    });
    let content = match content {
        Some(fields) => Content::Open(fields.clone()),
        None if key.is_some() => Content::Deleted(Deletion::Key),
        None => Content::Open(Map::new()),
    };
    Some(signed(*author, *at, *expires, *nonce, key, content))
}

fn signed(
    author: u8,
    at: u64,
    expires: Option<u64>,
    nonce: u32,
    key: Option<Key>,
    content: Content,
) -> VerifiedDocument {
    let document = Document {
        network: network(),
        created_at: Timestamp::from_millis(START + at),
        nonce,
        expires_at: expires.map(|after| Timestamp::from_millis(START + at + after)),
        key,
        next_key: None,
        content,
    };
    VerifiedDocument::sign(&self::author(author), document).expect("signs")
}

pub(crate) fn shuffle<T>(list: &mut [T], mut seed: u64) {
    for at in (1..list.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        list.swap(at, (seed >> 33) as usize % (at + 1));
    }
}
