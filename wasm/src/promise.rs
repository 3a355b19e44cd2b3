//! A promise that is kept later.

use js_sys::{Function, Promise};
use wasm_bindgen::JsValue;

use crate::fault::Fault;

/// The two functions with which a promise is settled; used once.
#[derive(Debug)]
pub(crate) struct Settle {
    resolve: Function,
    reject: Function,
}

/// A promise and what settles it.
pub(crate) fn promise() -> (Promise, Settle) {
    let mut settle = None;
    let promise = Promise::new(&mut |resolve, reject| settle = Some(Settle { resolve, reject }));
    // The constructor calls its argument before it returns (ECMA-262, 27.2.3.1).
    let nobody = || Settle { resolve: Function::default(), reject: Function::default() };
    (promise, settle.unwrap_or_else(nobody))
}

impl Settle {
    /// Settles it: what waits goes on in a later microtask, never within this call.
    pub(crate) fn with(self, result: Result<JsValue, Fault>) {
        let (function, value) = match result {
            Ok(value) => (self.resolve, value),
            Err(fault) => (self.reject, fault.into()),
        };
        // A promise's own functions do not throw.
        drop(function.call1(&JsValue::UNDEFINED, &value));
    }
}
