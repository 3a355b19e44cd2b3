//! Documents on stdout, one a line.
//!
//! A thread of its own writes them: the reader of our stdout may be as slow as it likes, and signals
//! are heard all the same. What waits for it is bounded, so a slow reader slows us down.

use std::{
    fmt::Write as _,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use taiinet::{Delivery, LiveEvent, LiveState, PeerId, Privacy, Ready, Removed, SubscriptionEvent};
use taiinet_terminal as terminal;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::{
    exit::{CommandResult, Exit},
    key::writers_json,
};

/// How long a batch grows while more documents are at hand, in bytes.
const BATCH_BYTES: usize = 64 * 1024;
/// Batches that wait for the writer.
const BATCHES: usize = 2;
/// How long the writer may still take when we were told to leave.
const LEAVING: Duration = Duration::from_millis(500);

/// Lines that are written together.
#[derive(Debug, Default)]
struct Batch {
    text: String,
    count: u64,
}

/// Writes documents: their data alone, or with their authors and times.
#[derive(Debug)]
pub(crate) struct Printer {
    batch: Batch,
    batches: Option<mpsc::Sender<Batch>>,
    ended: oneshot::Receiver<io::Result<()>>,
    written: Arc<AtomicU64>,
    json: bool,
    count: u64,
}

impl Printer {
    pub(crate) fn new(json: bool) -> Self {
        Self::to(io::stdout(), json)
    }

    fn to(mut out: impl io::Write + Send + 'static, json: bool) -> Self {
        let (batches, mut waiting) = mpsc::channel::<Batch>(BATCHES);
        let (end, ended) = oneshot::channel();
        let written = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&written);
        std::thread::spawn(move || {
            let mut write = || {
                while let Some(batch) = waiting.blocking_recv() {
                    out.write_all(batch.text.as_bytes())?;
                    out.flush()?;
                    count.fetch_add(batch.count, Ordering::Relaxed);
                }
                Ok(())
            };
            let _ = end.send(write());
        });
        let batch = Batch::default();
        Self { batch, batches: Some(batches), ended, written, json, count: 0 }
    }

    /// How many were given to print.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// How many of them the reader of stdout has let us write.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Prints a document, some time before the next [`flush`](Self::flush) ends. Cancel-safe.
    pub(crate) async fn print(&mut self, delivery: &Delivery) -> CommandResult {
        self.count += 1;
        self.batch.count += 1;
        // Writing to a string cannot fail.
        let _ = match self.json {
            true => writeln!(self.batch.text, "{}", described(delivery)),
            false => writeln!(self.batch.text, "{}", terminal::json(&delivery.json())),
        };
        if self.batch.text.len() < BATCH_BYTES { Ok(()) } else { self.flush().await }
    }

    /// Prints what happens beside documents, with the next [`flush`](Self::flush); only as JSON.
    pub(crate) fn print_event(&mut self, event: &SubscriptionEvent) {
        let event = match event {
            SubscriptionEvent::Ready(Ready { complete, more, sources, .. }) => {
                json!({ "ready": { "complete": complete, "more": more, "sources": sources } })
            }
            SubscriptionEvent::Removed(Removed { id, author, owner, key, reason }) => {
                let mut removed = json!({
                    "id": id.to_string(), "author": author, "reason": reason.as_str(),
                });
                add_key(&mut removed, key.as_deref(), *author, *owner);
                json!({ "removed": removed })
            }
            SubscriptionEvent::Conflict { winner, loser } => {
                json!({ "conflict": { "winner": about(winner), "loser": about(loser) } })
            }
            _ => return,
        };
        self.print_line(&event);
    }

    /// Prints what happens to a live result set, with the next [`flush`](Self::flush).
    pub(crate) fn print_live(&mut self, event: &LiveEvent) {
        let (name, places, document) = match event {
            LiveEvent::Insert { index, document } => {
                ("insert", format!("\"index\":{index}"), document)
            }
            LiveEvent::Update { from, to, document } => {
                ("update", format!("\"from\":{from},\"to\":{to}"), document)
            }
            LiveEvent::Remove { index, id, reason } => {
                let (id, reason) = (id.to_string(), reason.as_str());
                let removed = json!({ "index": index, "id": id, "reason": reason });
                self.print_line(&json!({ "remove": removed }));
                return;
            }
            LiveEvent::State(LiveState { phase, complete, more, .. }) => {
                let phase = phase.as_str();
                let state = json!({ "phase": phase, "complete": complete, "more": more });
                self.print_line(&json!({ "state": state }));
                return;
            }
            _ => return,
        };
        let about = described(document);
        // Writing to a string cannot fail.
        let _ = writeln!(self.batch.text, "{{\"{name}\":{{{places},{}}}", &about[1..]);
    }

    /// Prints a list of documents as one line, with the next [`flush`](Self::flush).
    pub(crate) fn print_list(&mut self, documents: &[Delivery]) {
        let mut separator = "[";
        for document in documents {
            self.batch.text.push_str(separator);
            self.batch.text.push_str(&terminal::json(&document.json()));
            separator = ",";
        }
        self.batch.text.push_str(if documents.is_empty() { "[]\n" } else { "]\n" });
    }

    fn print_line(&mut self, line: &serde_json::Value) {
        if self.json {
            // Writing to a string cannot fail.
            let _ = writeln!(self.batch.text, "{}", terminal::json(&line.to_string()));
        }
    }

    /// Hands what was printed to the writer, as soon as it has room. Cancel-safe.
    pub(crate) async fn flush(&mut self) -> CommandResult {
        if self.batch.text.is_empty() {
            return Ok(());
        }
        let Some(batches) = &self.batches else { return Ok(()) };
        if let Ok(room) = batches.reserve().await {
            room.send(std::mem::take(&mut self.batch));
            return Ok(());
        }
        self.end().await
    }

    /// Waits until all is written, as long as it takes. Cancel-safe.
    pub(crate) async fn finish(&mut self) -> CommandResult {
        self.flush().await?;
        self.end().await
    }

    /// Waits until all is written, but not long: an end that a signal or a time-out wants does not wait
    /// for a reader.
    pub(crate) async fn leave(&mut self) -> CommandResult {
        timeout(LEAVING, self.finish()).await.unwrap_or(Ok(()))
    }

    /// What the writer ended with.
    async fn end(&mut self) -> CommandResult {
        if self.ended.is_terminated() {
            return Ok(());
        }
        self.batches = None;
        match (&mut self.ended).await {
            Ok(ended) => Ok(ended?),
            Err(_) => Err(Exit::failed("the thread that writes to stdout has died")),
        }
    }
}

/// The data stand first and are written as they are without --json.
fn described(delivery: &Delivery) -> String {
    let (about, data) = (about(delivery).to_string(), delivery.json());
    let about = terminal::json(&about);
    format!("{{\"data\":{},{}", terminal::json(&data), &about[1..])
}

/// A key, and whose it is if that is not the author.
fn add_key(about: &mut serde_json::Value, key: Option<&str>, author: PeerId, owner: PeerId) {
    if let Some(key) = key {
        about["key"] = key.into();
    }
    if owner != author {
        about["owner"] = owner.to_string().into();
    }
}

/// All but the data.
fn about(delivery: &Delivery) -> serde_json::Value {
    let mut about = json!({
        "author": delivery.author(),
        "id": delivery.id().to_string(),
        "created_at": delivery.created_at().as_millis(),
        "received_at": delivery.received_at().as_millis(),
        "hops": delivery.hops(),
    });
    add_key(&mut about, delivery.key(), delivery.author(), delivery.owner());
    if let Some(writers) = delivery.writers() {
        about["writers"] = writers_json(writers);
    }
    if let Some(replaced) = delivery.replaces() {
        about["replaces"] = replaced.to_string().into();
    }
    if let Some(expires_at) = delivery.expires_at() {
        about["expires_at"] = expires_at.as_millis().into();
    }
    if delivery.is_backlog() {
        about["backlog"] = true.into();
    }
    if delivery.privacy() != Privacy::Open {
        about["privacy"] = delivery.privacy().as_str().into();
    }
    about
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use taiinet::{Map, TaiiNet};

    use super::*;
    use crate::testing::{EVIL, is_harmless};

    #[derive(Default, Clone)]
    struct Out(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Out {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("nobody panics").extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// `subscribe` and `find` print what strangers published: fields, their names, and keys.
    #[tokio::test]
    async fn what_others_wrote_is_shown_and_not_obeyed() {
        let net = TaiiNet::builder().network("tests").signaller("ws://127.0.0.1:9");
        let net = net.connect().await.expect("a peer");
        let mut subscription = net.subscribe("{}").expect("a query");
        let content = Map::from([(EVIL.to_owned(), EVIL.into())]);
        let options = taiinet::PublishOptions { key: Some(EVIL.into()), ..Default::default() };
        net.queue_with(content, options).await.expect("queued");
        let delivery = subscription.next().await.expect("our own");
        for json in [false, true] {
            let out = Out::default();
            let mut printer = Printer::to(out.clone(), json);
            printer.print(&delivery).await.expect("printed");
            printer.finish().await.expect("written");
            let text = String::from_utf8(out.0.lock().expect("written").clone()).expect("text");
            assert!(is_harmless(&text) && text.lines().count() == 1, "{text:?}");
            let says: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            let data = if json { &says["data"] } else { &says };
            assert_eq!(data[EVIL], EVIL, "it says the same");
            assert!(!json || says["key"] == EVIL);
        }
        net.close().await;
    }

    #[tokio::test]
    async fn what_happens_to_a_live_set_is_a_line_each() {
        let net = TaiiNet::builder().network("tests").signaller("ws://127.0.0.1:9");
        let net = net.connect().await.expect("a peer");
        let mut live = net.live("{}", taiinet::LiveOptions::default()).expect("a query");
        let keyed = || taiinet::PublishOptions { key: Some("k".into()), ..Default::default() };
        for n in 1..=2 {
            let content = Map::from([(EVIL.to_owned(), n.into())]);
            net.queue_with(content, keyed()).await.expect("queued");
        }
        let out = Out::default();
        let mut printer = Printer::to(out.clone(), true);
        for _ in 0..3 {
            printer.print_live(&live.next().await.expect("it runs"));
        }
        let snapshot = live.snapshot();
        let [first] = &snapshot.documents[..] else { panic!("one document") };
        let gone =
            LiveEvent::Remove { index: 0, id: first.id(), reason: taiinet::Removal::Expired };
        printer.print_live(&gone);
        printer.print_list(&snapshot.documents);
        printer.print_list(&[]);
        printer.finish().await.expect("written");
        let text = String::from_utf8(out.0.lock().expect("written").clone()).expect("text");
        assert!(is_harmless(&text), "{text:?}");
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let [state, insert, update, remove, list, none] = &lines[..] else { panic!("{text}") };
        let begins = json!({ "state": { "phase": "loading", "complete": false, "more": false } });
        assert_eq!(*state, begins);
        let (insert, update) = (&insert["insert"], &update["update"]);
        assert_eq!((&insert["index"], &insert["data"][EVIL]), (&json!(0), &json!(1)));
        assert_eq!((&update["from"], &update["to"]), (&json!(0), &json!(0)));
        assert_eq!((&update["data"][EVIL], &update["replaces"]), (&json!(2), &insert["id"]));
        let gone = json!({ "index": 0, "id": update["id"], "reason": "expired" });
        assert_eq!(remove["remove"], gone);
        assert_eq!((list, none), (&json!([{ EVIL: 2 }]), &json!([])));
        net.close().await;
    }
}
