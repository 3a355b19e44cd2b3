use taiinet_mesh::{Disconnect, Misbehaviour};

use super::*;
use crate::testing::{full, nothing, peer};

/// What scripts and pages read; it changes with a new version of theirs only.
#[test]
fn a_status_is_written_as_ever() {
    let now = Time::from_millis(20);
    assert_eq!(
        format!("{}\n", status(peer(1), "tweets", &full(), now)),
        include_str!("status.camel.json")
    );
    assert_eq!(
        format!("{}\n", snake_case::status(peer(1), "tweets", &full(), now)),
        include_str!("status.snake.json")
    );
}

#[test]
fn a_status_says_what_is_wrong_and_what_to_do() {
    let text = status(peer(1), "tweets", &nothing(), Time::from_millis(20));
    let status: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(status["problem"], "no signaller is named, so nobody can be met");
    assert!(status["advice"].is_string());
}

#[test]
fn events_are_written_as_ever() {
    let id = peer(1);
    let cause = Disconnect::Silent;
    for (one, text) in [
        (
            Event::PeerDisconnected { peer: id, cause: cause.clone() },
            format!(r#"{{"type":"peer-disconnected","peer":"{id}","cause":"it fell silent"}}"#),
        ),
        (
            Event::SignallerLost {
                url: "ws://x".to_owned(),
                cause,
                retry_at: Time::from_millis(7),
            },
            r#"{"type":"signaller-lost","url":"ws://x","cause":"it fell silent","retryAt":7}"#
                .to_owned(),
        ),
        (
            Event::Rejected { peer: None, misbehaviour: Misbehaviour::InvalidSignature },
            format!(
                r#"{{"type":"rejected","peer":null,"misbehaviour":"InvalidSignature","text":"{}"}}"#,
                Misbehaviour::InvalidSignature
            ),
        ),
        (
            Event::Blacklisted(Blacklisted::by_hand(id, None)),
            format!(
                r#"{{"type":"blacklisted","peer":"{id}","times":{}}}"#,
                Blacklisted::by_hand(id, None).times
            ),
        ),
    ] {
        assert_eq!(event(&one), Some(text));
    }
    assert_eq!(panicked("x".to_owned()), r#"{"type":"panicked","message":"x"}"#);
}

#[test]
fn addresses_without_a_key_are_not_kept() {
    let address = |pinned| SignallerAddress { url: "wss://x".to_owned(), pinned };
    let kept: Vec<_> = addresses(&[address(None), address(Some(peer(1)))]).collect();
    assert_eq!(kept, [format!("wss://x#{}", peer(1))]);
}
