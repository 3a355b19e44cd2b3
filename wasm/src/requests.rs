//! What the package asks for, as it is written: JSON.

use core::time::Duration;

use serde::Deserialize;
use taiinet_document::{Deletion, DocumentId, DocumentIds, Key, PeerSet, Timestamp, Writers};
use taiinet_identity::PeerId;
use taiinet_mesh::{Audience, FindOptions, PublishOptions};
use taiinet_query::{
    Query, SharedQuery,
    sort::{Direction, Place, Sort},
};
use taiinet_session::{Backlog, Indiscreet, LiveOptions, Until, Wanted};

use crate::fault::Fault;

/// How to subscribe.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subscribe {
    #[serde(default)]
    private: bool,
    #[serde(default)]
    discreet: bool,
    backlog: Option<Before>,
    /// As a live result set.
    live: Option<Live>,
}

impl Subscribe {
    /// The live result set that is wanted, if one is.
    pub(crate) fn live(&self) -> Result<Option<LiveOptions>, Fault> {
        let Some(Live { limit, sort }) = &self.live else { return Ok(None) };
        if self.discreet {
            return Err(Fault::option("options.discreet", Indiscreet::Backlog));
        }
        Ok(Some(LiveOptions { sort: order(sort)?, limit: *limit, private: self.private }))
    }

    /// What is wanted of these documents, and of those from before.
    pub(crate) fn wanted(
        self,
        query: Query,
    ) -> Result<(Wanted, Option<(SharedQuery, Backlog)>), Fault> {
        let Self { private, discreet, backlog, .. } = self;
        if discreet {
            let wanted = Wanted::discreet(query, private, backlog.is_some());
            let indiscreet = |error| Fault::option("options.discreet", error);
            return Ok((wanted.map_err(indiscreet)?, None));
        }
        let before = match backlog {
            Some(backlog) => Some((query.clone().try_into()?, backlog.into())),
            None => None,
        };
        let wanted = if private { Wanted::Private(query.try_into()?) } else { Wanted::Open(query) };
        Ok((wanted, before))
    }
}

/// Which documents a live result set has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Live {
    limit: u16,
    #[serde(default)]
    sort: Vec<(String, Towards)>,
}

/// What is wanted of the time before.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Before {
    Last(u16),
    Since(u64),
}

impl From<Before> for Backlog {
    fn from(before: Before) -> Self {
        match before {
            Before::Last(count) => Self::Last(count),
            Before::Since(time) => Self::Since(Timestamp::from_millis(time)),
        }
    }
}

/// What an author adds to a document.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Publish {
    key: Option<String>,
    writers: Option<May>,
    of: Option<String>,
    expires_at: Option<u64>,
    pub(crate) stamp: Option<Stamp>,
    to: Option<To>,
    #[serde(default)]
    public: Vec<String>,
    #[serde(default)]
    wait_ms: u32,
    #[serde(default)]
    until: Whom,
}

/// Who is to have a document before its promise is kept.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Whom {
    #[default]
    Neighbour,
    Network,
}

impl Publish {
    pub(crate) const fn until(&self) -> Until {
        match self.until {
            Whom::Neighbour => Until::Neighbour,
            Whom::Network => Until::Network,
        }
    }

    /// How long to wait for a recipient.
    pub(crate) fn wait(&self) -> Duration {
        Duration::from_millis(self.wait_ms.into())
    }
}

impl TryFrom<Publish> for PublishOptions {
    type Error = Fault;

    fn try_from(options: Publish) -> Result<Self, Fault> {
        Ok(Self {
            audience: options.to.map_or(Ok(Audience::Everyone), To::audience)?,
            public: options.public,
            key: key(options.key, options.writers, options.of)?,
            expires_at: options.expires_at.map(Timestamp::from_millis),
        })
    }
}

/// Under which key a document stands, if under any.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnderKey {
    key: Option<String>,
    writers: Option<May>,
    of: Option<String>,
    #[serde(default)]
    pub(crate) deletes: bool,
}

impl TryFrom<UnderKey> for Option<Key> {
    type Error = Fault;

    fn try_from(UnderKey { key: name, writers, of, .. }: UnderKey) -> Result<Self, Fault> {
        key(name, writers, of)
    }
}

/// Who may write under a key beside its owner.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum May {
    Anyone,
    Peers(Vec<String>),
}

impl May {
    fn writers(self) -> Result<Writers, Fault> {
        let Self::Peers(names) = self else { return Ok(Writers::Anyone) };
        let peers = peers(names, "options.writers")?;
        let peers = PeerSet::new(peers).map_err(|error| Fault::option("options.writers", error))?;
        Ok(Writers::Peers(peers))
    }
}

/// Peers by their names, of the option with this path.
fn peers(names: Vec<String>, path: &str) -> Result<Vec<PeerId>, Fault> {
    let peer = |(index, name): (usize, String)| peer(&name, &format!("{path}[{index}]"));
    names.into_iter().enumerate().map(peer).collect()
}

fn peer(name: &str, path: &str) -> Result<PeerId, Fault> {
    name.parse().map_err(|error| Fault::option(path, format!("`{name}` is no peer: {error}")))
}

fn key(
    name: Option<String>,
    writers: Option<May>,
    of: Option<String>,
) -> Result<Option<Key>, Fault> {
    match (name, writers, of) {
        (None, None, None) => Ok(None),
        (Some(name), None, None) => Ok(Some(Key::new(name))),
        (Some(name), Some(writers), None) => Ok(Some(Key::shared(name, writers.writers()?))),
        (Some(name), None, Some(of)) => Ok(Some(Key::of(name, peer(&of, "options.of")?))),
        (None, ..) => {
            Err(Fault::option("options.key", "who writes under it is said, and not its name"))
        }
        (Some(_), Some(_), Some(_)) => {
            Err(Fault::option("options.writers", "only a document's owner says who writes it"))
        }
    }
}

/// Who may read a document, if not everyone.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum To {
    Subscribers,
    Peers(Vec<String>),
}

impl To {
    fn audience(self) -> Result<Audience, Fault> {
        match self {
            Self::Subscribers => Ok(Audience::Subscribers),
            Self::Peers(names) => peers(names, "options.to").map(Audience::Peers),
        }
    }
}

/// What makes a document of the same content the same document, also when another instance
/// publishes it once more: a tab that takes over does not know how far the one before came.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Stamp {
    created_at: u64,
    nonce: u32,
}

impl From<Stamp> for (Timestamp, u32) {
    fn from(Stamp { created_at, nonce }: Stamp) -> Self {
        (Timestamp::from_millis(created_at), nonce)
    }
}

/// What to delete.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum Delete {
    Documents { ids: Vec<String> },
    Key { key: String, of: Option<String> },
}

impl Delete {
    /// With the key that the deletion has.
    pub(crate) fn deletion(self) -> Result<(Deletion, Option<Key>), Fault> {
        let id = |(index, text): (usize, String)| {
            let id = text.parse::<DocumentId>();
            id.map_err(|error| Fault::option(&format!("ids[{index}]"), error))
        };
        match self {
            Self::Documents { ids } => {
                let ids = ids.into_iter().enumerate().map(id).collect::<Result<Vec<_>, _>>()?;
                Ok((Deletion::Documents(DocumentIds::new(ids)?), None))
            }
            Self::Key { key, of: None } => Ok((Deletion::Key, Some(Key::new(key)))),
            Self::Key { key, of: Some(of) } => {
                Ok((Deletion::Key, Some(Key::of(key, peer(&of, "of")?))))
            }
        }
    }
}

/// How to delete.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deletes {
    pub(crate) stamp: Option<Stamp>,
}

/// How to look for documents.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Find {
    limit: u16,
    timeout_ms: u32,
    #[serde(default)]
    sort: Vec<(String, Towards)>,
    after: Option<String>,
    since: Option<u64>,
    until: Option<u64>,
}

/// Where an order goes.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Towards {
    Asc,
    Desc,
}

fn order(fields: &[(String, Towards)]) -> Result<Sort, Fault> {
    let by = fields.iter().map(|(field, towards)| match towards {
        Towards::Asc => (field.as_str(), Direction::Ascending),
        Towards::Desc => (field.as_str(), Direction::Descending),
    });
    Sort::by(&Vec::from_iter(by)).map_err(|error| Fault::option("options.sort", error))
}

impl Find {
    pub(crate) fn options(&self) -> Result<FindOptions, Fault> {
        let after = self.after.as_ref().map(|text| {
            let fault = || Fault::option("options.after", "it is no cursor that was given");
            Place::from_hex(text).ok_or_else(fault)
        });
        Ok(FindOptions {
            sort: order(&self.sort)?,
            after: after.transpose()?,
            limit: self.limit,
            wait: Duration::from_millis(self.timeout_ms.into()),
        })
    }

    /// What matches the query and was published then: `until` is the first moment after it.
    pub(crate) fn narrow(&self, query: Query) -> Result<SharedQuery, Fault> {
        let bounds = [("$gte", self.since), ("$lt", self.until)];
        let bounds = bounds.iter().filter_map(|(name, at)| Some(format!(r#""{name}":{}"#, (*at)?)));
        let bounds = Vec::from_iter(bounds).join(",");
        if bounds.is_empty() {
            return Ok(query.try_into()?);
        }
        Ok(format!(r#"{{"$and":[{query},{{"_created_at":{{{bounds}}}}}]}}"#).parse()?)
    }
}

#[cfg(test)]
mod tests {
    use taiinet_identity::{Identity, Seed};

    use super::*;

    fn peer_id(byte: u8) -> PeerId {
        Identity::from_seed(&Seed::from_bytes([byte; 32])).peer_id()
    }

    fn find(json: &str) -> Find {
        serde_json::from_str(json).expect("a request")
    }

    #[test]
    fn a_search_is_read_with_its_order_its_place_and_its_time() {
        let place = "00".repeat(40);
        let all = find(&format!(
            r#"{{"limit":5,"timeoutMs":100,"sort":[["likes","desc"],["a.b","asc"]],"after":"{place}","since":1,"until":2}}"#
        ));
        let options = all.options().expect("options");
        assert_eq!(options.sort.to_string(), "likes:desc,a.b:asc");
        assert_eq!(options.after.expect("a place").as_bytes(), [0; 40]);
        let query = all.narrow(r#"{"type":"tweet"}"#.parse().expect("a query"));
        let said = query.expect("a query").to_string();
        assert!(said.contains(r#""$gte":1"#) && said.contains(r#""$lt":2"#), "{said}");

        let none = find(r#"{"limit":5,"timeoutMs":100}"#);
        let query = none.narrow(Query::all()).expect("a query");
        assert_eq!(query, SharedQuery::all());
        assert!(none.options().expect("options").sort.is_newest());
    }

    #[test]
    fn what_is_wrong_with_a_search_is_named() {
        for (json, path) in [
            (r#"{"limit":5,"timeoutMs":1,"after":"xy"}"#, "options.after"),
            (r#"{"limit":5,"timeoutMs":1,"after":"00"}"#, "options.after"),
            (r#"{"limit":5,"timeoutMs":1,"sort":[["a,b","asc"]]}"#, "options.sort"),
            (r#"{"limit":5,"timeoutMs":1,"sort":[["a","asc"],["a","desc"]]}"#, "options.sort"),
        ] {
            let fault = find(json).options().map(|_| ()).expect_err(json);
            assert_eq!(fault.path.as_deref(), Some(path), "{json}");
        }
    }

    #[test]
    fn a_subscription_may_be_a_live_result_set() {
        let read = |json: &str| serde_json::from_str::<Subscribe>(json).expect("a request").live();
        assert_eq!(read(r#"{"private":true}"#).expect("none"), None);
        let live = read(r#"{"private":true,"live":{"limit":5,"sort":[["likes","desc"]]}}"#);
        let LiveOptions { sort, limit, private } = live.expect("one").expect("one");
        assert_eq!((sort.to_string().as_str(), limit, private), ("likes:desc", 5, true));
        let wrong = read(r#"{"live":{"limit":5,"sort":[["a","asc"],["a","desc"]]}}"#);
        assert_eq!(wrong.expect_err("twice").path.as_deref(), Some("options.sort"));
    }

    #[test]
    fn what_is_wanted_discreetly_is_neither_announced_nor_looked_for() {
        let read = |json: &str| serde_json::from_str::<Subscribe>(json).expect("a request");
        let wanted = |json: &str| read(json).wanted(Query::all());
        let discreet = wanted(r#"{"discreet":true}"#);
        assert!(matches!(discreet, Ok((Wanted::Discreet(_), None))));
        assert!(matches!(wanted(r#"{"private":true}"#), Ok((Wanted::Private(_), None))));
        assert!(matches!(wanted(r#"{"backlog":{"last":3}}"#), Ok((Wanted::Open(_), Some(_)))));
        let path = Some("options.discreet".to_owned());
        for json in
            [r#"{"discreet":true,"private":true}"#, r#"{"discreet":true,"backlog":{"last":3}}"#]
        {
            assert_eq!(wanted(json).expect_err(json).path, path, "{json}");
        }
        let live = read(r#"{"discreet":true,"live":{"limit":5}}"#).live();
        assert_eq!(live.expect_err("it looks for what was before").path, path);
    }

    #[test]
    fn a_deletion_names_a_key_or_documents() {
        let read = |json: &str| serde_json::from_str::<Delete>(json).expect("a request").deletion();
        let (deletion, key) = read(r#"{"key":"k"}"#).expect("by key");
        assert_eq!((deletion, key), (Deletion::Key, Some(Key::new("k"))));
        let ann = peer_id(1);
        let (_, key) = read(&format!(r#"{{"key":"k","of":"{ann}"}}"#)).expect("of another's");
        assert_eq!(key, Some(Key::of("k", ann)));
        let stranger = read(r#"{"key":"k","of":"ann"}"#).expect_err("no peer");
        assert_eq!(stranger.path.as_deref(), Some("of"));
        let id = "0f".repeat(32);
        let (deletion, key) = read(&format!(r#"{{"ids":["{id}","{id}"]}}"#)).expect("by id");
        assert_eq!(key, None);
        assert_eq!(deletion.documents().map(ToString::to_string).collect::<Vec<_>>(), [id]);
        for wrong in
            [r#"{"ids":["0f"]}"#.to_owned(), format!(r#"{{"ids":["{}"]}}"#, "x".repeat(64))]
        {
            assert_eq!(read(&wrong).expect_err("no id").path.as_deref(), Some("ids[0]"));
        }
        assert!(read(r#"{"ids":[]}"#).is_err());
    }

    #[test]
    fn a_document_is_published_for_a_neighbour_or_for_the_network() {
        let read =
            |json: &str| serde_json::from_str::<Publish>(json).map(|publish| publish.until());
        assert_eq!(read("{}").expect("none"), Until::Neighbour);
        assert_eq!(read(r#"{"until":"neighbour"}"#).expect("one"), Until::Neighbour);
        assert_eq!(read(r#"{"until":"network"}"#).expect("one"), Until::Network);
        assert!(read(r#"{"until":"everyone"}"#).is_err());
    }

    #[test]
    fn a_key_is_ones_own_shared_or_anothers() {
        let read = |json: &str| {
            let options = serde_json::from_str::<Publish>(json).expect("a request");
            PublishOptions::try_from(options).map(|options| options.key)
        };
        let [ann, bob] = [1, 2].map(peer_id);
        let of = format!(r#"{{"key":"k","of":"{ann}"}}"#);
        let shared = format!(r#"{{"key":"k","writers":{{"peers":["{bob}"]}}}}"#);
        let writers = Writers::Peers(PeerSet::new([bob]).expect("one"));
        for (json, key) in [
            ("{}", None),
            (r#"{"key":"k"}"#, Some(Key::new("k"))),
            (r#"{"key":"k","writers":"anyone"}"#, Some(Key::shared("k", Writers::Anyone))),
            (&shared, Some(Key::shared("k", writers))),
            (&of, Some(Key::of("k", ann))),
        ] {
            assert_eq!(read(json).expect(json), key, "{json}");
        }
        for (json, path) in [
            (r#"{"writers":"anyone"}"#, "options.key"),
            (r#"{"key":"k","of":"ann"}"#, "options.of"),
            (r#"{"key":"k","writers":{"peers":["ann"]}}"#, "options.writers[0]"),
            (r#"{"key":"k","writers":{"peers":[]}}"#, "options.writers"),
            (r#"{"key":"k","writers":"anyone","of":"ann"}"#, "options.writers"),
        ] {
            assert_eq!(read(json).expect_err(json).path.as_deref(), Some(path), "{json}");
        }
    }
}
