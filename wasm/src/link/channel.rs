//! A WebRTC link: one data channel, ordered and reliable, which both ends know beforehand (id 0).

use core::{cell::RefCell, fmt::Display, time::Duration};
use std::rc::Rc;

use js_sys::Array;
use taiinet_mesh::{
    ChannelBinding, Input, LinkFailure, Negotiation, description::Admission, wire::IceServer,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    RtcConfiguration, RtcDataChannel, RtcDataChannelInit, RtcDataChannelState, RtcDataChannelType,
    RtcIceCandidateInit, RtcIceServer, RtcPeerConnection, RtcPeerConnectionIceEvent,
    RtcPeerConnectionState, RtcSdpType, RtcSessionDescriptionInit,
};

use super::{
    listener::Listener,
    open::Open,
    reporter::{Reporter, broken},
    socket::message_bytes,
    timer::Timer,
};

/// So many bytes may wait in the browser before the core is told that there is no room.
const BUFFERED: u32 = 64 * 1024;
/// How long the goodbye of a channel may take.
const CLOSE: Duration = Duration::from_secs(1);

/// A data channel and its connection. Closed when dropped.
pub(crate) struct Channel {
    connection: RtcPeerConnection,
    channel: RtcDataChannel,
    negotiation: Rc<Negotiator>,
    sending: Rc<RefCell<Sending>>,
    reporter: Reporter,
    /// Ends a close that the other end does not answer.
    closing: Option<Timer>,
    _open: Open,
    _listeners: Vec<Listener>,
}

impl Channel {
    /// Opens a link of which this end makes the offer.
    pub(crate) fn offer(ice_servers: &[IceServer], reporter: Reporter) -> Result<Self, JsValue> {
        let this = Self::new(ice_servers, reporter)?;
        this.start(None);
        Ok(this)
    }

    /// Opens a link that the other end offers.
    pub(crate) fn answer(
        offer: String,
        ice_servers: &[IceServer],
        reporter: Reporter,
    ) -> Result<Self, JsValue> {
        let this = Self::new(ice_servers, reporter)?;
        this.start(Some(offer));
        Ok(this)
    }

    fn new(ice_servers: &[IceServer], reporter: Reporter) -> Result<Self, JsValue> {
        // Browsers refuse all for one bad address, and the addresses are a signaller's word.
        let connection = RtcPeerConnection::new_with_configuration(&configuration(ice_servers))
            .or_else(|_| RtcPeerConnection::new())?;
        let known_to_both = RtcDataChannelInit::new();
        known_to_both.set_negotiated(true);
        known_to_both.set_id(0);
        let channel =
            connection.create_data_channel_with_data_channel_dict("taiinet", &known_to_both);
        channel.set_binary_type(RtcDataChannelType::Arraybuffer);
        channel.set_buffered_amount_low_threshold(BUFFERED);
        let sending = Rc::new(RefCell::new(Sending::default()));
        let listeners = listeners(&connection, &channel, &sending, &reporter);
        let negotiation = Rc::new(Negotiator {
            connection: connection.clone(),
            admission: RefCell::default(),
            early: RefCell::default(),
        });
        Ok(Self {
            _open: Open::new(&connection),
            connection,
            channel,
            negotiation,
            sending,
            reporter,
            closing: None,
            _listeners: listeners,
        })
    }

    /// Makes the description and hands it to the core.
    fn start(&self, offer: Option<String>) {
        let (negotiation, reporter) = (Rc::clone(&self.negotiation), self.reporter.clone());
        spawn_local(async move {
            match negotiation.describe(offer).await {
                Ok(text) => {
                    let part = Negotiation::Description(text);
                    reporter.input(Input::Negotiation { link: reporter.link, part });
                }
                Err(error) => reporter.ended(broken(&error)),
            }
        });
    }

    /// The other end has a part for us.
    pub(crate) fn negotiate(&self, part: Negotiation) {
        let (negotiation, reporter) = (Rc::clone(&self.negotiation), self.reporter.clone());
        spawn_local(async move {
            match part {
                Negotiation::Description(answer) => {
                    if let Err(error) = negotiation.accept(RtcSdpType::Answer, &answer).await {
                        reporter.ended(broken(&error));
                    }
                }
                Negotiation::Candidate(candidate) => negotiation.candidate(candidate).await,
            }
        });
    }

    /// Sends a message; says how many bytes there is room for again.
    pub(crate) fn send(&self, bytes: &[u8]) -> Result<usize, JsValue> {
        self.channel.send_with_u8_array(bytes)?;
        let mut sending = self.sending.borrow_mut();
        sending.waiting += bytes.len();
        Ok(sending.passed_on(self.channel.buffered_amount()))
    }

    /// Begins to close; false if there is nothing to wait for.
    pub(crate) fn close(&mut self) -> bool {
        if self.channel.ready_state() != RtcDataChannelState::Open {
            return false;
        }
        if self.closing.is_none() {
            // The browser sends what is buffered first (RFC 8831, 6.7).
            self.channel.close();
            let reporter = self.reporter.clone();
            self.closing = Some(Timer::new(CLOSE, move || reporter.ended(LinkFailure::Local)));
        }
        true
    }

    pub(crate) const fn is_closing(&self) -> bool {
        self.closing.is_some()
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.connection.close();
    }
}

/// What was given to the browser and not yet reported as passed on.
#[derive(Default)]
struct Sending {
    waiting: usize,
}

impl Sending {
    /// How many bytes more have left, or fit into what the browser may buffer.
    fn passed_on(&mut self, buffered: u32) -> usize {
        let held = usize::try_from(buffered.saturating_sub(BUFFERED)).unwrap_or(usize::MAX);
        let passed = self.waiting.saturating_sub(held);
        self.waiting -= passed;
        passed
    }
}

fn listeners(
    connection: &RtcPeerConnection,
    channel: &RtcDataChannel,
    sending: &Rc<RefCell<Sending>>,
    reporter: &Reporter,
) -> Vec<Listener> {
    let link = reporter.link;
    let on =
        |event, callback: Box<dyn FnMut(web_sys::Event)>| Listener::new(channel, event, callback);
    let (to, peer) = (reporter.clone(), connection.clone());
    let open = on(
        "open",
        Box::new(move |_| match binding(&peer) {
            Some(binding) => to.input(Input::LinkUp { link, binding }),
            None => to.ended(LinkFailure::Transport("no usable fingerprint".to_owned())),
        }),
    );
    let to = reporter.clone();
    let message = on(
        "message",
        Box::new(move |event| {
            to.input(Input::Message { link, bytes: message_bytes(&event) });
        }),
    );
    let (to, from, sending) = (reporter.clone(), channel.clone(), Rc::clone(sending));
    let drained = on(
        "bufferedamountlow",
        Box::new(move |_| {
            let bytes = sending.borrow_mut().passed_on(from.buffered_amount());
            if bytes > 0 {
                to.input(Input::Sent { link, bytes });
            }
        }),
    );
    let to = reporter.clone();
    let close = on("close", Box::new(move |_| to.ended(LinkFailure::Remote)));

    let to = reporter.clone();
    let candidate = Listener::new(connection, "icecandidate", move |event| {
        let event: &RtcPeerConnectionIceEvent = event.unchecked_ref();
        // Null and empty say that there are no more. Over TCP there is no one to reach.
        let text = event.candidate().map(|candidate| candidate.candidate()).unwrap_or_default();
        if is_for_udp(&text) {
            to.input(Input::Negotiation { link, part: Negotiation::Candidate(text) });
        }
    });
    let (to, peer) = (reporter.clone(), connection.clone());
    let state = Listener::new(connection, "connectionstatechange", move |_| {
        match peer.connection_state() {
            RtcPeerConnectionState::Failed => {
                to.ended(LinkFailure::Unreachable("no pair of addresses works".to_owned()));
            }
            RtcPeerConnectionState::Closed => to.ended(LinkFailure::Remote),
            _ => {}
        }
    });
    vec![open, message, drained, close, candidate, state]
}

fn configuration(ice_servers: &[IceServer]) -> RtcConfiguration {
    let servers = Array::new();
    for IceServer { url, username, credential } in ice_servers {
        let server = RtcIceServer::new();
        server.set_urls(&url.into());
        if !username.is_empty() {
            server.set_username(username);
            server.set_credential(credential);
        }
        servers.push(&server);
    }
    let configuration = RtcConfiguration::new();
    configuration.set_ice_servers(&servers);
    configuration
}

fn binding(connection: &RtcPeerConnection) -> Option<ChannelBinding> {
    let (local, remote) = (connection.local_description()?, connection.remote_description()?);
    ChannelBinding::of_descriptions(&local.sdp(), &remote.sdp())
}

/// The third word is the transport (RFC 8839, 5.1).
fn is_for_udp(candidate: &str) -> bool {
    candidate.split(' ').nth(2).is_some_and(|transport| transport.eq_ignore_ascii_case("udp"))
}

/// Offer, answer and candidates (RFC 9429), of which the other end's may come in any order.
struct Negotiator {
    connection: RtcPeerConnection,
    /// What may still come of the other end.
    admission: RefCell<Admission>,
    /// Candidates that came before the other end's description; none once that is there.
    early: RefCell<Early>,
}

enum Early {
    Kept(Vec<String>),
    Done,
}

impl Default for Early {
    fn default() -> Self {
        Self::Kept(Vec::new())
    }
}

impl Negotiator {
    /// Our description: the answer to `offer`, or an offer.
    async fn describe(&self, offer: Option<String>) -> Result<String, JsValue> {
        let (kind, promise) = match offer {
            Some(offer) => {
                self.accept(RtcSdpType::Offer, &offer).await?;
                (RtcSdpType::Answer, self.connection.create_answer())
            }
            None => (RtcSdpType::Offer, self.connection.create_offer()),
        };
        let made = JsFuture::from(promise).await?;
        let text = js_sys::Reflect::get(&made, &"sdp".into())?.as_string().unwrap_or_default();
        let description = RtcSessionDescriptionInit::new(kind);
        description.set_sdp(&text);
        JsFuture::from(self.connection.set_local_description(&description)).await?;
        Ok(text)
    }

    /// Takes the other end's description, and the candidates that came before it.
    async fn accept(&self, kind: RtcSdpType, text: &str) -> Result<(), JsValue> {
        let admitted = self.admission.borrow_mut().description(text).map_err(refused)?;
        let description = RtcSessionDescriptionInit::new(kind);
        description.set_sdp(&admitted);
        JsFuture::from(self.connection.set_remote_description(&description)).await?;
        if let Early::Kept(candidates) = self.early.replace(Early::Done) {
            for candidate in candidates {
                self.add(&candidate).await;
            }
        }
        Ok(())
    }

    async fn candidate(&self, candidate: String) {
        if self.admission.borrow_mut().candidate(&candidate).is_err() {
            return;
        }
        if let Early::Kept(candidates) = &mut *self.early.borrow_mut() {
            candidates.push(candidate);
            return;
        }
        self.add(&candidate).await;
    }

    /// A candidate that cannot be used is of no account: there may be others.
    async fn add(&self, candidate: &str) {
        let init = RtcIceCandidateInit::new(candidate);
        init.set_sdp_m_line_index(Some(0));
        let added = self.connection.add_ice_candidate_with_opt_rtc_ice_candidate_init(Some(&init));
        drop(JsFuture::from(added).await);
    }
}

/// As an exception of the browser's own, so that both are told in one way.
fn refused(error: impl Display) -> JsValue {
    js_sys::Error::new(&error.to_string()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_browser_holds_beyond_the_mark_is_not_passed_on() {
        let mut sending = Sending { waiting: 100_000 };
        assert_eq!(sending.passed_on(BUFFERED + 10_000), 90_000);
        assert_eq!(sending.passed_on(BUFFERED + 10_000), 0);
        assert_eq!(sending.passed_on(BUFFERED), 10_000);
        assert_eq!(sending.waiting, 0);
    }

    #[test]
    fn only_candidates_for_udp_are_of_use() {
        assert!(is_for_udp("candidate:1 1 udp 2113937151 a.local 50000 typ host"));
        assert!(is_for_udp("candidate:1 1 UDP 2113937151 127.0.0.1 50000 typ host"));
        assert!(!is_for_udp("candidate:1 1 tcp 1518280447 127.0.0.1 9 typ host tcptype active"));
        assert!(!is_for_udp(""));
    }
}
