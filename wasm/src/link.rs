//! The browser's channels as links of the core.

mod channel;
mod listener;
mod open;
mod reporter;
mod socket;
mod timer;

use std::{cell::RefCell, collections::BTreeMap, rc::Weak};

use taiinet_mesh::{Dial, Input, LinkFailure, LinkId, Negotiation};

use self::{
    channel::Channel,
    reporter::{Reporter, broken},
    socket::Socket,
};
pub(crate) use self::{open::abandon, reporter::Reports, timer::Timer};

/// A link of either kind. Dropping it closes it at once.
enum Link {
    Channel(Channel),
    Socket(Socket),
}

/// All links that are open or being opened.
pub(crate) struct Links {
    reports: Weak<dyn Reports>,
    links: BTreeMap<LinkId, Link>,
    /// What is to be told to the core when it has given all its outputs.
    news: RefCell<Vec<Input>>,
}

impl Links {
    pub(crate) fn new(reports: Weak<dyn Reports>) -> Self {
        Self { reports, links: BTreeMap::new(), news: RefCell::default() }
    }

    pub(crate) fn dial(&mut self, link: LinkId, dial: Dial) {
        let reporter = Reporter { link, to: self.reports.clone() };
        let opened = match dial {
            Dial::Offer { ice_servers, .. } => {
                Channel::offer(&ice_servers, reporter).map(Link::Channel)
            }
            Dial::Answer { offer, ice_servers, .. } => {
                Channel::answer(offer, &ice_servers, reporter).map(Link::Channel)
            }
            // A page is no signaller: nothing of it is dialled directly.
            Dial::Direct { url } | Dial::Signaller { url } => {
                Socket::open(&url, reporter).map(Link::Socket)
            }
        };
        match opened {
            Ok(opened) => drop(self.links.insert(link, opened)),
            Err(error) => self.down(link, broken(&error)),
        }
    }

    pub(crate) fn negotiate(&self, link: LinkId, part: Negotiation) {
        if let Some(Link::Channel(channel)) = self.links.get(&link) {
            channel.negotiate(part);
        }
    }

    pub(crate) fn send(&mut self, link: LinkId, bytes: &[u8]) {
        let sent = match self.links.get(&link) {
            Some(Link::Channel(channel)) => channel.send(bytes),
            Some(Link::Socket(socket)) => socket.send(bytes).map(|()| bytes.len()),
            None => return,
        };
        match sent {
            Ok(0) => {}
            Ok(bytes) => self.news.get_mut().push(Input::Sent { link, bytes }),
            Err(error) => {
                self.links.remove(&link);
                self.down(link, broken(&error));
            }
        }
    }

    /// Closes a link when what was given to it is sent.
    pub(crate) fn close(&mut self, link: LinkId) {
        let closing = match self.links.get_mut(&link) {
            Some(Link::Channel(channel)) => channel.close(),
            // A WebSocket's close comes after what was sent before it (RFC 6455, 7.1.2).
            Some(Link::Socket(_)) => false,
            None => return,
        };
        if !closing {
            self.links.remove(&link);
            self.down(link, LinkFailure::Local);
        }
    }

    /// A link that has ended by itself is forgotten. None if it was before.
    pub(crate) fn ended(&mut self, link: LinkId, cause: LinkFailure) -> Option<Input> {
        let cause = match self.links.remove(&link)? {
            Link::Channel(channel) if channel.is_closing() => LinkFailure::Local,
            _ => cause,
        };
        Some(Input::LinkDown { link, cause })
    }

    /// What happened while the core gave its outputs.
    pub(crate) fn news(&mut self) -> Vec<Input> {
        core::mem::take(self.news.get_mut())
    }

    /// Whether no link is open or closing.
    pub(crate) fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    fn down(&mut self, link: LinkId, cause: LinkFailure) {
        self.news.get_mut().push(Input::LinkDown { link, cause });
    }
}
