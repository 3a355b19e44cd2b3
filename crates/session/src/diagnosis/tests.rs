use super::*;
use crate::testing::{full, link, nothing, peer, signaller, unreachable};

fn told(status: &Status) -> (usize, Option<String>, Option<String>) {
    let diagnosis = diagnose(status);
    (diagnosis.neighbours, diagnosis.problem(), diagnosis.advice("tweets"))
}

fn problem(status: &Status) -> String {
    let (_, problem, advice) = told(status);
    assert!(advice.is_some_and(|advice| !advice.is_empty()), "{problem:?}");
    problem.expect("a problem")
}

#[test]
fn each_problem_is_told_with_what_to_do() {
    assert_eq!(problem(&nothing()), "no signaller is named, so nobody can be met");

    let trying = Status { signallers: vec![signaller(false, None)], ..nothing() };
    assert_eq!(told(&trying), (0, None, None), "it is too early to say");

    let signallers = vec![signaller(false, None), signaller(false, Some(unreachable()))];
    let lost = Status { signallers, ..nothing() };
    let text = problem(&lost);
    assert!(text.starts_with("no signaller can be reached: wss://s.example: "), "{text}");

    let joined = Status { signallers: vec![signaller(true, None)], ..nothing() };
    assert_eq!(problem(&joined), "nobody else is on this network yet");
    assert!(told(&joined).2.is_some_and(|advice| advice.contains("\"tweets\"")));

    let failed = Status { failed: vec![(peer(4), unreachable())], candidates: 1, ..joined.clone() };
    assert!(problem(&failed).starts_with("no direct path leads to another peer, and no signaller"));
    assert!(told(&failed).2.is_some_and(|advice| advice.contains("--relay")));
    let none = Disconnect::Refused(RefusalReason::NoRelay);
    let only = Status { failed: vec![(peer(4), none)], ..failed.clone() };
    assert!(told(&only).2.is_some_and(|advice| advice.contains("--relay")));
    // Where one relays, that is not what is missing.
    let signallers = vec![SignallerStatus { relays: true, ..signaller(true, None) }];
    let failed = Status { signallers, ..failed };
    assert!(problem(&failed).starts_with("no link to another peer could be made: "));
    let refused = Disconnect::Refused(RefusalReason::Full);
    let refused = Status { failed: vec![(peer(4), refused)], ..joined.clone() };
    assert!(problem(&refused).starts_with("no link to another peer could be made: "));
}

/// As a TURN server with a quota: it is no firewall.
#[test]
fn a_cause_that_knows_its_cure_is_told_with_it() {
    let (what, cure) =
        ("none through turn:t.example: 486".to_owned(), "raise user-quota".to_owned());
    let cause = Disconnect::Link(LinkFailure::Mistaken { what, cure });
    let joined = Status { signallers: vec![signaller(true, None)], ..nothing() };
    let failed = Status { failed: vec![(peer(4), cause)], candidates: 1, ..joined };
    assert!(problem(&failed).ends_with(": none through turn:t.example: 486"));
    assert_eq!(told(&failed).2.as_deref(), Some("raise user-quota"));
    let lines = why_alone(&failed).join("\n");
    assert!(lines.contains("486; raise user-quota; others are tried"), "{lines}");
    assert!(!lines.contains("firewall"), "{lines}");
}

fn told_time(ahead_ms: Option<i64>, joined: bool) -> SignallerStatus {
    SignallerStatus { clock_ahead_ms: ahead_ms, ..signaller(joined, None) }
}

#[test]
fn a_clock_that_is_off_is_named_with_how_much_it_is() {
    let refused = Some(Disconnect::Refused(RefusalReason::Clock));
    let one = SignallerStatus { failure: refused, ..told_time(Some(300_900), false) };
    let ahead = Status { signallers: vec![one], ..nothing() };
    assert_eq!(
        problem(&ahead),
        "this device's clock is 300 s ahead of that of the signaller wss://s.example"
    );
    let advice = told(&ahead).2.expect("advice");
    assert!(advice.starts_with("set this device's clock") && advice.contains("120 s"), "{advice}");
    let lines = why_alone(&ahead).join("\n");
    assert!(
        lines.contains("300 s ahead of") && lines.contains("set this device's clock"),
        "{lines}"
    );

    // A join may hold that is so late; neighbours may be there, and take nothing of ours.
    let links = vec![link(LinkState::Active)];
    let behind = Status { signallers: vec![told_time(Some(-121_000), true)], links, ..nothing() };
    assert_eq!(
        problem(&behind),
        "this device's clock is 121 s behind that of the signaller wss://s.example"
    );

    // One that does not say the time all the same.
    let refused = Some(Disconnect::Refused(RefusalReason::Clock));
    let silent = Status { signallers: vec![signaller(false, refused)], ..nothing() };
    assert!(problem(&silent).contains("clock"), "{}", problem(&silent));
    assert!(told(&silent).2.is_some_and(|advice| advice.contains("set this device's clock")));
}

/// What one signaller says of our clock is its word against that of those that agree with us.
#[test]
fn one_signaller_alone_does_not_say_that_our_clock_is_off() {
    for agrees in [told_time(None, true), told_time(Some(119_000), false)] {
        let signallers = vec![told_time(Some(86_400_000), true), agrees];
        assert_eq!(told(&Status { signallers, candidates: 1, ..nothing() }), (0, None, None));
    }
    let both = vec![told_time(Some(400_000), true), told_time(Some(200_000), true)];
    assert!(problem(&Status { signallers: both, ..nothing() }).contains(" 200 s ahead"));
}

#[test]
fn another_key_than_the_addresss_is_told_with_both() {
    let other = Disconnect::AnotherKey { named: peer(1), shown: peer(2) };
    let status = Status { signallers: vec![signaller(false, Some(other))], ..nothing() };
    let problem = problem(&status);
    assert!([peer(1), peer(2)].iter().all(|key| problem.contains(&key.to_string())), "{problem}");
    assert!(told(&status).2.is_some_and(|advice| advice.contains("ask its operator")));
    assert!(why_alone(&status).join("").contains("ask its operator"));
}

#[test]
fn what_is_mistaken_says_itself_what_to_do() {
    let mistaken =
        LinkFailure::Mistaken { what: "it is a duck".to_owned(), cure: "feed it".to_owned() };
    let signallers = vec![signaller(false, Some(Disconnect::Link(mistaken)))];
    let status = Status { signallers, ..nothing() };
    assert_eq!(problem(&status), "no signaller can be reached: wss://s.example: it is a duck");
    assert_eq!(told(&status).2.as_deref(), Some("feed it"));
    let line = "  signaller wss://s.example: it is a duck; feed it; trying again";
    assert!(why_alone(&status).iter().any(|one| one == line), "{:?}", why_alone(&status));
}

#[test]
fn what_goes_on_is_no_problem() {
    let joined = Status { signallers: vec![signaller(true, None)], ..nothing() };
    assert_eq!(told(&Status { candidates: 1, ..joined.clone() }), (0, None, None));
    let links = vec![link(LinkState::Dialling), link(LinkState::Handshake)];
    let failed = vec![(peer(4), unreachable())];
    assert_eq!(told(&Status { links, failed, ..joined }), (0, None, None));
    assert_eq!(told(&full()), (1, None, None));
}

#[test]
fn a_mesh_that_goes_on_without_signallers_says_so() {
    let signallers = vec![signaller(false, Some(unreachable()))];
    let status = Status { signallers, links: vec![link(LinkState::Active)], ..nothing() };
    assert_eq!(diagnose(&status).neighbours, 1);
    assert!(problem(&status).ends_with("; the mesh goes on without"));
}

#[test]
fn on_a_terminal_all_that_is_tried_is_told() {
    let failed = Status {
        signallers: vec![
            signaller(true, None),
            signaller(false, None),
            signaller(false, Some(unreachable())),
        ],
        links: vec![link(LinkState::Dialling)],
        failed: vec![(peer(4), Disconnect::NoRoute)],
        ..nothing()
    };
    let cause = unreachable();
    let expected = [
        "no neighbour yet".to_owned(),
        "  signaller wss://s.example: joined".to_owned(),
        "  signaller wss://s.example: being reached".to_owned(),
        format!(
            "  signaller wss://s.example: {cause}; is it running, and is the address right? Trying again"
        ),
        "  links being made: 1".to_owned(),
        format!(
            "  peer {}: nobody could pass on the offer; it may have left; others are tried",
            peer(4).short()
        ),
    ];
    assert_eq!(why_alone(&failed), expected);

    let alone = Status { signallers: vec![signaller(true, None)], ..nothing() };
    assert_eq!(
        why_alone(&alone).last().map(String::as_str),
        Some("  nobody else is on this network yet; waiting")
    );
}
