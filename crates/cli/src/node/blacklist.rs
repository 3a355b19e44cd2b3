//! The operator's blacklist: a file of its own, which the node reads and never writes. What a peer has learned of
//! others itself is in its own file.

use std::{collections::BTreeMap, time::Duration};

use taiinet::{Blacklisted, Error, PeerId, TaiiNet};

use crate::clock;

/// Makes exactly these the ones that are blacklisted by hand.
pub(super) async fn apply(net: &TaiiNet, wanted: &[Blacklisted]) -> Result<(), Error> {
    let status = net.status().await?;
    let by_hand = status.blacklist.iter().filter(|listed| listed.misbehaviour.is_none());
    let have: BTreeMap<PeerId, _> = by_hand.map(|listed| (listed.peer, listed.until)).collect();
    let wanted: BTreeMap<PeerId, _> =
        wanted.iter().map(|listed| (listed.peer, listed.until)).collect();
    for peer in have.keys().filter(|peer| !wanted.contains_key(peer)) {
        net.unblock(*peer).await?;
    }
    let now = clock::now().timestamp();
    for (peer, until) in wanted {
        if have.get(&peer) == Some(&until) {
            continue;
        }
        let life = match until {
            // It is over.
            Some(until) if until <= now => continue,
            Some(until) => Some(Duration::from_millis(until.as_millis() - now.as_millis())),
            None => None,
        };
        net.blacklist(peer, life).await?;
    }
    Ok(())
}
