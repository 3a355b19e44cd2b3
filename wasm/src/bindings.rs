//! What the npm package calls. Texts go both ways as JSON; what is thrown is the JSON text of
//! `{"code", "message", "path"?}`.

use core::time::Duration;
use std::{
    cell::RefCell,
    rc::{Rc, Weak},
    sync::Once,
};

use js_sys::{Function, Promise};
use serde::Deserialize;
use serde_json::json as to_json;
use taiinet_document::{Key, Network, Timestamp, json};
use taiinet_identity::{Identity, PeerId, Seed};
use taiinet_mesh::{Blacklisted, Config, Input, SignallerAddress, limits};
use taiinet_query::Query;
use taiinet_session::json::panicked;
use wasm_bindgen::prelude::*;

use crate::{
    driver::Driver,
    fault::{Code, Fault},
    link,
    page::{Handlers, random},
    requests::{Delete, Deletes, Find, Publish, Subscribe, UnderKey},
    state::Stamped,
};

/// Bytes of recent documents that a page keeps for its neighbours: pages on phones have little memory,
/// and a browser ends those that take much. Native peers keep [`limits::STORE_BYTES`].
const STORE_BYTES: usize = 16 * 1024 * 1024;

/// A running peer.
#[wasm_bindgen]
pub struct Core {
    driver: Rc<Driver>,
}

#[wasm_bindgen]
impl Core {
    /// Starts a peer whose secret key is `seed` (32 bytes; the caller wipes its copy).
    ///
    /// # Errors
    /// `seed`, `options`
    #[wasm_bindgen(constructor)]
    pub fn new(mut seed: Box<[u8]>, options: &str, handlers: Handlers) -> Result<Core, JsValue> {
        let identity = identity(&mut seed)?;
        let options: Options = serde_json::from_str(options).map_err(Fault::options)?;
        let last_stamp = options.stamps.first().copied().map(Timestamp::from_millis);
        let config = options.config()?;
        let driver = Driver::start(identity, config, last_stamp, random()?, handlers);
        report_panics(&driver);
        Ok(Self { driver })
    }

    /// Its name, `tn1…`.
    #[wasm_bindgen(getter, js_name = peerId)]
    pub fn peer_id(&self) -> String {
        self.driver.peer_id()
    }

    /// Subscribes under a number of the page's choosing, and new, with options `{"private"?, "discreet"?,
    /// "backlog"?: {"last": number} | {"since": milliseconds}, "live"?: {"limit", "sort"?: [[field, "asc" | "desc"]…]}}`. With `live` it is a live
    /// result set, and hears of its changes alone. The page may hear of it before this returns.
    ///
    /// # Errors
    /// `query`, `options` (too many subscriptions), `closed`
    pub fn subscribe(&self, number: u32, query: &str, options: &str) -> Result<(), JsValue> {
        let options: Subscribe = serde_json::from_str(options).map_err(Fault::options)?;
        let query = parse(query)?;
        match options.live()? {
            Some(live) => self.driver.live(number, query, live)?,
            None => {
                let (wanted, before) = options.wanted(query)?;
                self.driver.subscribe(number, wanted, before)?;
            }
        }
        Ok(())
    }

    /// So many older documents are wanted for a subscription with a backlog of the last; `ready` comes after
    /// them. Whether there may be any: if not, nothing comes.
    pub fn more(&self, subscription: u32, limit: u16) -> bool {
        self.driver.more(subscription, limit)
    }

    /// Whether the reader of a subscription is behind: what was before it waits for that.
    pub fn hold(&self, subscription: u32, behind: bool) {
        self.driver.hold(subscription, behind);
    }

    /// Ends a subscription.
    pub fn unsubscribe(&self, subscription: u32) {
        self.driver.unsubscribe(subscription);
    }

    /// Publishes a document with options `{"key"?, "writers"?: "anyone" | {"peers": [peerId…]}, "of"?: peerId,
    /// "expiresAt"?, "stamp"?: {"createdAt", "nonce"},
    /// "to"?: "subscribers" | {"peers": [peerId…]}, "public"?: [name…], "waitMs"?,
    /// "until"?: "neighbour" | "network"}`. The promise is kept, with the document's id, when a neighbour has taken
    /// it, or besides the network's root has named it; it is broken with `recipients`
    /// when no recipient turned up, `lost` when no neighbour took it in time, `unconfirmed` when the root did not name
    /// it in time, or `closed`.
    ///
    /// # Errors
    /// `document`, `options`, `recipients`, `busy`, `closed`
    pub fn publish(&self, document: &str, options: &str) -> Result<Promise, JsValue> {
        let content = json::parse_map(document).map_err(Fault::from)?;
        let mut options: Publish = serde_json::from_str(options).map_err(Fault::options)?;
        let stamp = options.stamp.take().map(Into::into);
        let waits = (options.until(), options.wait());
        Ok(self.driver.publish(content, options.try_into()?, stamp, waits)?)
    }

    /// Deletes what this peer published: `{"ids": [id…]}`, up to 256, or `{"key": name, "of"?: peerId}`; with options
    /// `{"stamp"?}`. The promise is as that of [`Self::publish`], with the id of the deletion.
    ///
    /// # Errors
    /// `document`, `options`, `busy`, `closed`
    pub fn delete(&self, what: &str, options: &str) -> Result<Promise, JsValue> {
        let what: Delete = serde_json::from_str(what).map_err(Fault::options)?;
        let Deletes { stamp } = serde_json::from_str(options).map_err(Fault::options)?;
        let (deletion, key) = what.deletion()?;
        Ok(self.driver.delete(deletion, key, stamp.map(Into::into))?)
    }

    /// A stamp for a document with a key, if any: `{"key"?, "writers"?, "of"?, "deletes"?}` as for [`Self::publish`];
    /// `deletes` says that it is a deletion. It is
    /// `{"createdAt", "nonce"}`, later than those before, and than the versions that it is to replace.
    ///
    /// # Errors
    /// `options`, `document`
    pub fn stamp(&self, key: &str) -> Result<String, JsValue> {
        let under: UnderKey = serde_json::from_str(key).map_err(Fault::options)?;
        let deletes = under.deletes;
        let key: Option<Key> = under.try_into()?;
        let of = if deletes { Stamped::Deletion } else { Stamped::Document };
        let (created_at, nonce) = self.driver.stamp(of(key.as_ref()))?;
        Ok(to_json!({ "createdAt": created_at.as_millis(), "nonce": nonce }).to_string())
    }

    /// The `createdAt` of the last stamp, in a list: to be kept for the next visit.
    #[wasm_bindgen(js_name = stampsToKeep)]
    pub fn stamps_to_keep(&self) -> String {
        to_json!([self.driver.last_stamp().as_millis()]).to_string()
    }

    /// Looks for documents with options `{"limit", "timeoutMs", "sort"?: [[field, "asc" | "desc"]…],
    /// "after"?: cursor, "since"?, "until"?: milliseconds}`. Each goes to the function before the promise is
    /// kept, with the arguments of a delivery but for the subscriptions; it is kept with the JSON of
    /// `{"complete", "cursor"?}`: whether that is all, as far as can be told, and from where to go on.
    ///
    /// # Errors
    /// `query`, `options`, `busy`, `closed`
    pub fn find(&self, query: &str, options: &str, each: Function) -> Result<Promise, JsValue> {
        let options: Find = serde_json::from_str(options).map_err(Fault::options)?;
        let query = options.narrow(parse(query)?)?;
        Ok(self.driver.find(query, options.options()?, each)?)
    }

    /// Whether the page is behind with its deliveries: then neighbours are slowed down.
    pub fn behind(&self, behind: bool) {
        self.driver.handle(Input::Behind(behind));
    }

    /// Whether the page is hidden, and timers may come once a minute.
    pub fn doze(&self, dozing: bool) {
        self.driver.handle(Input::Doze(dozing));
    }

    /// The device is back on a network, or awake: try again at once.
    pub fn wake(&self) {
        self.driver.handle(Input::Wake);
    }

    /// Keeps this peer out, until then (milliseconds since 1970) or for ever.
    ///
    /// # Errors
    /// `options`
    pub fn blacklist(&self, peer: &str, until: Option<f64>) -> Result<(), JsValue> {
        let until = until.map(|until| Timestamp::from_millis(until as u64));
        Ok(self.driver.blacklist(name(peer)?, until)?)
    }

    /// Forgives this peer whatever it did; whether it was blacklisted.
    ///
    /// # Errors
    /// `options`
    pub fn unblock(&self, peer: &str) -> Result<bool, JsValue> {
        Ok(self.driver.unblock(name(peer)?))
    }

    /// What [`Self::new`] is to be given as `blacklist` the next time.
    #[wasm_bindgen(js_name = blacklistToKeep)]
    pub fn blacklist_to_keep(&self) -> String {
        self.driver.blacklist_to_keep()
    }

    /// What [`Self::new`] is to be given as `signallerCache` the next time: addresses of signallers that others
    /// told of.
    #[wasm_bindgen(js_name = signallerCache)]
    pub fn signaller_cache(&self) -> String {
        self.driver.signaller_cache()
    }

    /// Its links, signallers and counters.
    pub fn status(&self) -> String {
        self.driver.status()
    }

    /// Says goodbye; the promise is kept when the links are closed, after two seconds at most.
    pub fn close(&self) -> Promise {
        self.driver.close()
    }
}

/// How a peer takes part.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Options {
    network: String,
    #[serde(default)]
    signallers: Vec<String>,
    target_links: Option<usize>,
    max_links: Option<usize>,
    signaller_relay: Option<String>,
    #[serde(default)]
    introduce_by_interest: bool,
    /// For how long before this peer there was none of its identity, and should have been.
    #[serde(default)]
    silent_ms: u32,
    /// As [`Core::signaller_cache`] gave it; what is no address is passed over.
    #[serde(default)]
    signaller_cache: Vec<String>,
    /// As [`Core::stamps_to_keep`] gave it.
    #[serde(default)]
    stamps: Vec<u64>,
    /// As [`Core::blacklist_to_keep`] gave it, perhaps of another version, or damaged where it was kept:
    /// what is not understood is passed over.
    #[serde(default)]
    blacklist: Vec<serde_json::Value>,
}

impl Options {
    fn config(self) -> Result<Config, Fault> {
        let network: Network =
            self.network.parse().map_err(|error| Fault::option("options.network", error))?;
        let mut config = Config::new(network);
        config.steady = false;
        config.max_links = self.max_links.unwrap_or(limits::MAX_LINKS).clamp(1, limits::MAX_LINKS);
        config.target_links = self.target_links.unwrap_or(limits::TARGET_LINKS);
        config.store_bytes = STORE_BYTES;
        if let Some(when) = self.signaller_relay {
            let when = when.parse();
            config.signaller_relay =
                when.map_err(|error| Fault::option("options.signallerRelay", error))?;
        }
        config.introduce_by_interest = self.introduce_by_interest;
        config.silence = Duration::from_millis(self.silent_ms.into());
        let cached = self.signaller_cache.iter();
        let cached = cached.filter_map(|address| signaller((0, address)).ok());
        config.signaller_cache = cached.take(limits::SIGNALLERS).collect();
        let listed = |one| serde_json::from_value::<Blacklisted>(one).ok();
        config.blacklist = self.blacklist.into_iter().filter_map(listed).collect();
        let signallers = self.signallers.iter().flat_map(|text| SignallerAddress::urls(text));
        let signallers: Vec<String> = signallers.collect();
        let signallers = signallers.iter().enumerate();
        config.signallers = signallers.map(signaller).collect::<Result<_, _>>()?;
        Ok(config)
    }
}

/// `ws://…` or `wss://…`, and behind a `#` the key that the signaller must prove. The browser itself
/// checks the rest.
fn signaller((index, address): (usize, &String)) -> Result<SignallerAddress, Fault> {
    let (url, pinned) = match address.split_once('#') {
        Some((url, key)) => {
            let key: PeerId = key.parse().map_err(|error| {
                let text = format!("behind the # of {url} stands no signaller's key: {error}");
                Fault::option(&format!("options.signallers[{index}]"), text)
            })?;
            (url, Some(key))
        }
        None => (address.as_str(), None),
    };
    Ok(SignallerAddress { url: url.to_owned(), pinned })
}

fn name(peer: &str) -> Result<PeerId, Fault> {
    peer.parse().map_err(|error| {
        let fault = Fault::options(format!("`{peer}` is no peer's name: {error}"));
        Fault { path: Some("peer".to_owned()), ..fault }
    })
}

/// The name of the peer with this secret key.
///
/// # Errors
/// `seed`
#[wasm_bindgen(js_name = peerId)]
pub fn peer_id(mut seed: Box<[u8]>) -> Result<String, JsValue> {
    Ok(identity(&mut seed)?.peer_id().to_string())
}

/// Whether something is a query.
///
/// # Errors
/// `query`, with the place of the fault
#[wasm_bindgen(js_name = checkQuery)]
pub fn check_query(query: &str) -> Result<(), JsValue> {
    parse(query)?;
    Ok(())
}

/// Whether a document's content matches a query.
///
/// # Errors
/// `query`, `document`
pub fn matches(query: &str, document: &str) -> Result<bool, JsValue> {
    let content = json::parse_map(document).map_err(Fault::from)?;
    Ok(parse(query)?.matches(&content))
}

fn parse(query: &str) -> Result<Query, Fault> {
    Ok(query.parse::<Query>()?)
}

fn identity(seed: &mut [u8]) -> Result<Identity, Fault> {
    let bytes: Result<[u8; 32], _> = (&*seed).try_into();
    seed.fill(0);
    let bytes = bytes.map_err(|_| Fault::new(Code::Seed, "a secret key has 32 bytes"))?;
    Ok(Identity::from_seed(&Seed::from_bytes(bytes)))
}

thread_local! {
    static DRIVERS: RefCell<Vec<Weak<Driver>>> = const { RefCell::new(Vec::new()) };
}

/// A panic leaves an instance that must not be called any more: the pages of all its peers are told.
fn report_panics(driver: &Rc<Driver>) {
    static HOOK: Once = Once::new();
    DRIVERS.with_borrow_mut(|all| {
        all.retain(|driver| driver.strong_count() > 0);
        all.push(Rc::downgrade(driver));
    });
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            link::abandon();
            let text = panicked(info.to_string());
            let all = DRIVERS.with(|all| all.try_borrow().map(|all| all.clone()));
            for driver in all.unwrap_or_default().iter().filter_map(Weak::upgrade) {
                driver.event(&text);
            }
        }));
    });
}

/// What native and browser builds must compute alike.
#[cfg(feature = "vectors")]
#[wasm_bindgen]
pub fn vectors() -> String {
    crate::vectors::text()
}

/// Checks the signature of a document so many times, for the benchmark.
#[cfg(feature = "vectors")]
#[wasm_bindgen]
pub fn verify(times: u32) {
    crate::vectors::verify(times);
}
