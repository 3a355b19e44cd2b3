//! How a link tells what happens on it.

use std::rc::Weak;

use taiinet_mesh::{Input, LinkFailure, LinkId};
use wasm_bindgen::JsValue;

/// Where links report to.
pub(crate) trait Reports {
    /// Something happened on a link that goes on.
    fn input(&self, input: Input);
    /// A link has ended by itself.
    fn ended(&self, link: LinkId, cause: LinkFailure);
}

/// A link's way to report; of no use when the peer is gone.
#[derive(Clone)]
pub(crate) struct Reporter {
    pub(super) link: LinkId,
    pub(super) to: Weak<dyn Reports>,
}

impl Reporter {
    pub(super) fn input(&self, input: Input) {
        if let Some(to) = self.to.upgrade() {
            to.input(input);
        }
    }

    pub(super) fn ended(&self, cause: LinkFailure) {
        if let Some(to) = self.to.upgrade() {
            to.ended(self.link, cause);
        }
    }
}

/// What a browser says when it refuses something: an exception's message.
pub(super) fn broken(error: &JsValue) -> LinkFailure {
    let message = js_sys::Reflect::get(error, &"message".into()).ok();
    let text = message.and_then(|message| message.as_string());
    LinkFailure::Transport(text.unwrap_or_else(|| format!("{error:?}")))
}
