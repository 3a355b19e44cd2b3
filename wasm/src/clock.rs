//! The time that the core is told.

use core::time::Duration;

use taiinet_mesh::Time;
use wasm_bindgen::prelude::*;

/// How far the wall clock must be ahead before it is followed: the device slept (then the page's
/// clock may have stood still), or its clock was set.
const JUMP: Duration = Duration::from_secs(5);

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

/// Wall time that never runs backwards: anchored at the wall clock when the peer starts, carried on
/// by the page's monotonic clock, moved forward when the wall clock has run ahead of it.
#[derive(Debug)]
pub(crate) struct Clock {
    /// Wall time at the zero of the monotonic clock; only grows.
    anchor: f64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { anchor: js_sys::Date::now() - performance_now() }
    }

    pub(crate) fn now(&self) -> Time {
        // A conversion that saturates.
        Time::from_millis((self.anchor + performance_now()) as u64)
    }

    /// Follows the wall clock if it has run ahead; says whether it had.
    pub(crate) fn catch_up(&mut self) -> bool {
        let anchor = js_sys::Date::now() - performance_now();
        let jumped = anchor - self.anchor >= JUMP.as_millis() as f64;
        if jumped {
            self.anchor = anchor;
        }
        jumped
    }
}
