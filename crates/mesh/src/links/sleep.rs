//! The lives of links: pings, dozing, oversleeping, waking.
//!
//! A peer that *dozes* has timers, but late. It says so; its neighbours wait longer before they take
//! silence for the end, let others serve them, and send it all they have. It does at once what it
//! would have gathered, and whatever is overdue with each thing that happens: its neighbours' pings
//! are its clock.
//!
//! A peer that *slept* knows nothing of the time between. Each peer that it was linked to is pinged
//! and judged by what comes from then on, so that what they said meanwhile is read first.
//!
//! A peer that is *somewhere else* (it has another address; its router has forgotten it, or has another address)
//! cannot tell that from neighbours that are gone, and only sometimes is told by the system. What it sees is that
//! all are silent: then it asks them and its signallers, and dials again those that do not answer at once,
//! without giving up what may still live.

use core::time::Duration;

use crate::{
    LinkId, Misbehaviour, Time, cx::Cx, limits, links::link::Link, notice::Notice, wire::LinkFrame,
};

impl Cx {
    /// Pings, acknowledges, and ends what is over.
    pub(crate) fn tick_links(&mut self) {
        self.tell_doze();
        self.ask_whether_cut_off();
        let now = self.now;
        for link in self.links.named(|link| link.deadline() <= now) {
            let Some(state) = self.links.get_mut(link) else { continue };
            match state.tick(now) {
                Ok(Some(frame)) => self.send(link, frame),
                Ok(None) => {}
                Err(cause) => self.close(link, cause),
            }
        }
        if self.links.behind {
            return;
        }
        let acknowledgements: Vec<(LinkId, LinkFrame)> = self
            .links
            .iter_mut()
            .filter_map(|link| Some((link.id, link.inbound.acknowledge(now)?)))
            .collect();
        for (link, acknowledgement) in acknowledgements {
            self.send(link, acknowledgement);
        }
    }

    /// We begin or cease to doze.
    pub(crate) fn set_dozing(&mut self, dozing: bool) {
        if core::mem::replace(&mut self.dozing, dozing) == dozing {
            return;
        }
        for link in self.links.iter_mut() {
            link.set_we_doze(dozing, self.now);
        }
        self.tell_doze();
        self.notify(Notice::WeDoze(dozing));
        if !dozing {
            // Our patience ends, but not before what waits to be read was read.
            self.probe(false);
        }
    }

    /// When neighbours are to be told that we doze, or do not any more: the first at once, for a peer that
    /// dozes has late timers and is to be borne with; the second not too often.
    pub(crate) fn doze_deadline(&self) -> Option<Time> {
        let (told, at) = self.told_doze;
        let wait = if self.dozing { Duration::ZERO } else { limits::TELL_EVERY };
        (told != self.dozing).then_some(at.after(wait))
    }

    fn tell_doze(&mut self) {
        if self.doze_deadline().is_none_or(|at| self.now < at) {
            return;
        }
        self.told_doze = (self.dozing, self.now);
        for link in self.links.named(Link::is_active) {
            self.send(link, LinkFrame::Doze(self.dozing));
        }
    }

    /// A neighbour begins or ceases to doze.
    ///
    /// # Errors
    /// [`Misbehaviour::StateFlood`]
    pub(super) fn neighbour_dozes(
        &mut self,
        link: LinkId,
        dozing: bool,
    ) -> Result<(), Misbehaviour> {
        let Some(state) = self.links.get_mut(link) else { return Ok(()) };
        state.budgets.state(self.now)?;
        if core::mem::replace(&mut state.dozing, dozing) != dozing {
            // It counts as less of a neighbour, or as one again.
            self.view_changed = true;
            self.notify(Notice::Dozes { link, dozing });
        }
        Ok(())
    }

    /// When to ask whether it is us who are cut off, if nothing is heard until then.
    pub(crate) fn silence_deadline(&self) -> Option<Time> {
        if self.dozing {
            return None;
        }
        let heard = self.links.active().filter(|link| !link.dozing).map(Link::heard).max()?;
        let again = self.asked_at.map(|at| at.after(limits::ALL_SILENT_EVERY));
        Some(heard.after(limits::ALL_SILENT).max(again.unwrap_or_default()))
    }

    fn ask_whether_cut_off(&mut self) {
        if self.silence_deadline().is_none_or(|at| self.now < at) {
            return;
        }
        self.asked_at = Some(self.now);
        self.doubt();
        self.notify(Notice::AllSilent);
    }

    /// Asks every neighbour; those that do not answer soon may be dialled again.
    pub(crate) fn doubt(&mut self) {
        let now = self.now;
        let asked: Vec<(LinkId, LinkFrame)> =
            self.links.iter_mut().filter_map(|link| Some((link.id, link.doubt(now)?))).collect();
        for (link, ping) in asked {
            self.send(link, ping);
        }
    }

    /// Asks every peer that we are linked to whether it is still there.
    pub(crate) fn probe(&mut self, again: bool) {
        let now = self.now;
        let probes: Vec<(LinkId, Option<LinkFrame>)> =
            self.links.iter_mut().map(|link| (link.id, link.probe(again, now))).collect();
        for (link, ping) in probes {
            if let Some(ping) = ping {
                self.send(link, ping);
            }
        }
        self.notify(Notice::Probe { again });
    }
}
