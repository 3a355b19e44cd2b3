//! A WebSocket to a signaller.

use js_sys::{ArrayBuffer, Uint8Array};
use taiinet_mesh::{ChannelBinding, Input, LinkFailure};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

use super::{Listener, Reporter};

/// An open WebSocket, or one being opened. Closed when dropped.
pub(crate) struct Socket {
    socket: WebSocket,
    _listeners: [Listener; 3],
}

impl Socket {
    pub(crate) fn open(url: &str, reporter: Reporter) -> Result<Self, JsValue> {
        let socket = WebSocket::new(url)?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let (link, opened) = (reporter.link, reporter.clone());
        let open = Listener::new(&socket, "open", move |_| {
            opened.input(Input::LinkUp { link, binding: ChannelBinding::NONE });
        });
        let heard = reporter.clone();
        let message = Listener::new(&socket, "message", move |event| {
            heard.input(Input::Message { link, bytes: message_bytes(&event) });
        });
        let close = Listener::new(&socket, "close", move |event| {
            reporter.ended(closed(event.unchecked_ref()));
        });
        Ok(Self { socket, _listeners: [open, message, close] })
    }

    pub(crate) fn send(&self, bytes: &[u8]) -> Result<(), JsValue> {
        self.socket.send_with_u8_array(bytes)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Fails only for a bad code or reason; there is neither.
        drop(self.socket.close());
    }
}

/// The bytes of a message; none for a text, which no peer of ours sends: the core refuses both.
pub(super) fn message_bytes(event: &web_sys::Event) -> Vec<u8> {
    let event: &MessageEvent = event.unchecked_ref();
    let data = event.data();
    data.dyn_ref::<ArrayBuffer>().map_or_else(Vec::new, |data| Uint8Array::new(data).to_vec())
}

/// Browsers do not say why a WebSocket could not be opened.
fn closed(event: &CloseEvent) -> LinkFailure {
    /// "Abnormal closure" (RFC 6455, 7.4.1).
    const ABNORMAL: u16 = 1006;
    if event.code() == ABNORMAL {
        LinkFailure::Unreachable("the connection was lost or refused".to_owned())
    } else {
        LinkFailure::Remote
    }
}
