//! The browser's timers, in pages and workers alike.

use core::time::Duration;

use wasm_bindgen::prelude::*;

use super::open::has_panicked;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Closure<dyn FnMut()>, milliseconds: i32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

/// A call some time from now; dropped before, it does not come.
pub(crate) struct Timer {
    name: JsValue,
    _callback: Closure<dyn FnMut()>,
}

impl Timer {
    pub(crate) fn new(after: Duration, mut callback: impl FnMut() + 'static) -> Self {
        let callback = Closure::new(move || {
            if !has_panicked() {
                callback();
            }
        });
        let milliseconds = i32::try_from(after.as_millis()).unwrap_or(i32::MAX);
        Self { name: set_timeout(&callback, milliseconds), _callback: callback }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.name);
    }
}
