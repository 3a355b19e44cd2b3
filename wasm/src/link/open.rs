//! What is open in the browser, to be closed when the module panics: by then nothing of ours can be
//! dropped, and neighbours would wait for a peer that has gone.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};

thread_local! {
    static OPEN: RefCell<BTreeMap<u32, JsValue>> = const { RefCell::new(BTreeMap::new()) };
    static NEXT: Cell<u32> = const { Cell::new(0) };
    static PANICKED: Cell<bool> = const { Cell::new(false) };
}

/// Something with a method `close`, until this is dropped.
pub(super) struct Open(u32);

impl Open {
    pub(super) fn new(what: &JsValue) -> Self {
        let name = NEXT.get();
        NEXT.set(name.wrapping_add(1));
        OPEN.with_borrow_mut(|open| open.insert(name, what.clone()));
        Self(name)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        OPEN.with_borrow_mut(|open| open.remove(&self.0));
    }
}

/// Whether the module must not be called any more.
pub(super) fn has_panicked() -> bool {
    PANICKED.get()
}

/// Closes everything, without a word of ours; from now on no timer and no listener calls.
pub(crate) fn abandon() {
    PANICKED.set(true);
    let open = OPEN.with(|open| open.try_borrow_mut().map(|mut open| core::mem::take(&mut *open)));
    for what in open.unwrap_or_default().into_values() {
        let close = Reflect::get(&what, &"close".into()).ok();
        if let Some(close) = close.as_ref().and_then(|close| close.dyn_ref::<Function>()) {
            drop(close.call0(&what));
        }
    }
}
