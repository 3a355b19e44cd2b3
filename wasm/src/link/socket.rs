//! A WebSocket to a signaller.

use js_sys::{ArrayBuffer, Uint8Array};
use taiinet_mesh::{ChannelBinding, Input, LinkFailure, limits};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

use super::{listener::Listener, open::Open, reporter::Reporter};

/// An open WebSocket, or one being opened. Closed when dropped.
pub(crate) struct Socket {
    socket: WebSocket,
    _open: Open,
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
        Ok(Self { _open: Open::new(&socket), socket, _listeners: [open, message, close] })
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

/// The bytes of a message, as far as the core needs them to judge it. None of a text, which no peer of
/// ours sends.
pub(super) fn message_bytes(event: &web_sys::Event) -> Vec<u8> {
    let event: &MessageEvent = event.unchecked_ref();
    let data = event.data();
    let Some(data) = data.dyn_ref::<ArrayBuffer>() else { return Vec::new() };
    bounded(data.byte_length(), || Uint8Array::new(data).to_vec())
}

/// A browser takes messages of any size, and memory that a module has grown to it never gives back.
/// So one that is too large is not copied: what stands for it is too large by one byte.
fn bounded(length: u32, copy: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
    if usize::try_from(length).is_ok_and(|length| length <= limits::WIRE_BYTES) {
        copy()
    } else {
        vec![0; limits::WIRE_BYTES + 1]
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_judged_so_without_being_copied() {
        let most = u32::try_from(limits::WIRE_BYTES).expect("a few KiB");
        assert_eq!(bounded(most, || vec![7; 3]), [7; 3]);
        for length in [most + 1, u32::MAX] {
            // The core calls that Oversize (taiinet-mesh, frame/codec.rs).
            assert_eq!(bounded(length, || panic!("copied")).len(), limits::WIRE_BYTES + 1);
        }
    }
}
