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
    assert!(problem(&failed).starts_with("no link to another peer could be made: "));
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
