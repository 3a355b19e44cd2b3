//! A callback of ours on a browser's object.

use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::EventTarget;

use super::open::has_panicked;

/// A listener that is taken away when this is dropped.
pub(crate) struct Listener {
    target: EventTarget,
    event: &'static str,
    callback: Closure<dyn FnMut(web_sys::Event)>,
}

impl Listener {
    /// Calls `callback` for each `event` at `target`.
    pub(crate) fn new(
        target: &EventTarget,
        event: &'static str,
        mut callback: impl FnMut(web_sys::Event) + 'static,
    ) -> Self {
        let callback = Closure::new(move |event| {
            if !has_panicked() {
                callback(event);
            }
        });
        // Fails only for a callback that is no function.
        drop(target.add_event_listener_with_callback(event, callback.as_ref().unchecked_ref()));
        Self { target: target.clone(), event, callback }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let callback = self.callback.as_ref().unchecked_ref();
        drop(self.target.remove_event_listener_with_callback(self.event, callback));
    }
}
