//! What signallers pass on to one another for their clients.

use taiinet_identity::PeerId;

use crate::{LinkId, Misbehaviour, Output, cx::Cx, wire::PoolFrame};

/// The room of the pool. It holds nothing: the signaller knows its clients.
#[derive(Debug, Default)]
pub(crate) struct Pool;

impl Pool {
    pub(crate) fn frame(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        frame: PoolFrame,
    ) -> Result<(), Misbehaviour> {
        let from = within_budget(cx, link)?;
        cx.out.push_back(match frame {
            PoolFrame::Relay(signal) => Output::Relayed { from, signal },
            PoolFrame::Undeliverable(undeliverable) => {
                Output::Undeliverable { from, undeliverable }
            }
        });
        Ok(())
    }
}

fn within_budget(cx: &mut Cx, link: LinkId) -> Result<PeerId, Misbehaviour> {
    let state = cx.links.get_mut(link).filter(|_| cx.topology.is_full());
    let state = state.ok_or(Misbehaviour::OutOfTurn)?;
    state.budgets.relay(cx.now)?;
    Ok(state.peer)
}
