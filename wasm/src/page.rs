//! What a page gives us: its functions, and the browser's randomness.

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

use crate::fault::Fault;

#[wasm_bindgen]
extern "C" {
    /// The page's side of a peer.
    pub type Handlers;

    /// A document that matches these subscriptions: what is known of it, and its fields.
    #[wasm_bindgen(method, catch)]
    pub fn delivery(
        this: &Handlers,
        subscriptions: Vec<u32>,
        about: &str,
        fields: &str,
    ) -> Result<(), JsValue>;

    /// A document that these subscriptions were shown is gone: `{"id", "author", "owner", "key"?, "reason"}`.
    #[wasm_bindgen(method, catch)]
    pub fn removed(this: &Handlers, subscriptions: Vec<u32>, what: &str) -> Result<(), JsValue>;

    /// Two versions of one document and one moment, each as in a delivery: the one that counts, and the other.
    #[wasm_bindgen(method, catch)]
    pub fn conflict(
        this: &Handlers,
        subscriptions: Vec<u32>,
        winner_about: &str,
        winner_fields: &str,
        loser_about: &str,
        loser_fields: &str,
    ) -> Result<(), JsValue>;

    /// What was published before this subscription has come, or as much as was asked for:
    /// `{"complete", "more", "sources"}`.
    #[wasm_bindgen(method, catch)]
    pub fn ready(this: &Handlers, subscription: u32, what: &str) -> Result<(), JsValue>;

    /// A live result set changes: `{"type": "insert", "index"}` or `{"type": "update", "from", "to"}`, with the document
    /// as in a delivery; `{"type": "remove", "index"}` or `{"type": "state", "phase", "complete", "more"}`, without.
    #[wasm_bindgen(method, catch)]
    pub fn live(
        this: &Handlers,
        subscriptions: Vec<u32>,
        change: &str,
        about: &str,
        fields: &str,
    ) -> Result<(), JsValue>;

    /// Something that the page may want to know.
    #[wasm_bindgen(method, catch)]
    pub fn event(this: &Handlers, json: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(array: &Uint8Array) -> Result<(), JsValue>;
}

/// Fresh entropy, for the seed of a generator.
pub(crate) fn random() -> Result<[u8; 32], Fault> {
    let array = Uint8Array::new_with_length(32);
    get_random_values(&array)
        .map_err(|_| Fault::options("this place has no crypto.getRandomValues"))?;
    let mut bytes = [0; 32];
    array.copy_to(&mut bytes);
    Ok(bytes)
}
