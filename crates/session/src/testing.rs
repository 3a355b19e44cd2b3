//! A status for tests.

use std::collections::BTreeMap;

use taiinet_document::Timestamp;
use taiinet_identity::PeerId;
use taiinet_mesh::{
    Blacklisted, Counters, Disconnect, LinkFailure, LinkId, LinkState, LinkStatus, Misbehaviour,
    SignallerStatus, Status, Time, wire::Kept,
};

pub(crate) fn peer(number: u8) -> PeerId {
    PeerId::from_bytes([number; 32])
}

pub(crate) fn nothing() -> Status {
    Status {
        spreading: taiinet_mesh::Spreading::default(),
        interest_bytes: 0,
        supply: taiinet_mesh::SupplyStatus::default(),
        trees: Vec::new(),
        links: Vec::new(),
        signallers: Vec::new(),
        ice_servers: Vec::new(),
        candidates: 0,
        private: 0,
        failed: Vec::new(),
        blacklist: Vec::new(),
        counters: Counters::default(),
    }
}

pub(crate) fn signaller(joined: bool, failure: Option<Disconnect>) -> SignallerStatus {
    SignallerStatus {
        url: "wss://s.example".to_owned(),
        signaller: None,
        joined,
        relays: false,
        failure,
        clock_ahead_ms: None,
    }
}

pub(crate) fn unreachable() -> Disconnect {
    Disconnect::Link(LinkFailure::Unreachable("refused".to_owned()))
}

pub(crate) fn link(state: LinkState) -> LinkStatus {
    LinkStatus {
        link: LinkId::from_raw(1),
        peer: peer(2),
        state,
        incoming: true,
        eager: false,
        relayed: false,
        archive: None,
        dozing: true,
        since: Time::from_millis(3),
        round_trip_ms: None,
        documents_sent: 4,
        documents_received: 5,
        duplicates: 6,
        rejected: 7,
        points: 8,
        queued_bytes: 9,
    }
}

/// With something everywhere.
pub(crate) fn full() -> Status {
    Status {
        links: vec![
            link(LinkState::Dialling),
            LinkStatus {
                relayed: true,
                archive: Some(Kept {
                    since: Timestamp::from_millis(2),
                    queries: vec![r#"{"type":"tweet"}"#.to_owned()],
                    indexed: vec!["time".to_owned()],
                }),
                round_trip_ms: Some(1),
                ..link(LinkState::Active)
            },
        ],
        signallers: vec![
            SignallerStatus { signaller: Some(peer(3)), relays: true, ..signaller(true, None) },
            SignallerStatus {
                clock_ahead_ms: Some(-12_000),
                ..signaller(false, Some(Disconnect::Silent))
            },
        ],
        candidates: 10,
        private: 11,
        failed: vec![(peer(4), Disconnect::NoRoute)],
        blacklist: vec![
            Blacklisted::by_hand(peer(5), None),
            Blacklisted {
                until: Some(Timestamp::from_millis(7)),
                misbehaviour: Some(Misbehaviour::InvalidSignature),
                times: 3,
                ..Blacklisted::by_hand(peer(6), None)
            },
        ],
        counters: Counters {
            asked: 0,
            resent: 0,
            published: 12,
            left_out: 20,
            unopened: 21,
            unknown: 22,
            exchanges: 0,
            matching_work: 0,
            delivered: 13,
            received: 14,
            wanted: 11,
            passed_on: 2,
            duplicates: 15,
            sent: 16,
            announced: 17,
            grafted: 18,
            rejected: BTreeMap::from([(Misbehaviour::InvalidSignature, 19)]),
        },
        ..nothing()
    }
}
