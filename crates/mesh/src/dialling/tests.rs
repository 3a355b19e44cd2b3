use super::*;
use crate::testing::{self, identity};

/// A signaller that drops the signals of two that it relays for gains nothing by it.
#[test]
fn who_is_linked_by_a_relay_is_asked_for_a_direct_link_over_it_first() {
    let mut cx = testing::cx();
    let signaller = LinkId::from_raw(1_000_000);
    let link = testing::neighbour(&mut cx, &identity(1));
    let candidacy = Candidacy {
        peer: identity(1).peer_id(),
        joined: None,
        address: None,
        heard_from: vec![signaller, link],
        sought: false,
    };
    let first = |cx: &Cx| routes(cx, &candidacy, &[signaller]).last().map(|route| route.link());
    assert_eq!(first(&cx), Some(signaller));
    if let Some(state) = cx.links.get_mut(link) {
        state.relayed = true;
    }
    assert_eq!(first(&cx), Some(link));
    assert_eq!(routes(&cx, &candidacy, &[signaller]).len(), 2, "each once");
}
