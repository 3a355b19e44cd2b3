use core::time::Duration;
use std::sync::LazyLock;

use proptest::prelude::*;
use taiinet_document::{
    Deletion, Document, DocumentId, DocumentIds, Key, Mark, PeerSet, Timestamp, Versions, Writers,
    parse_map,
};
use taiinet_identity::{Identity, PeerId, Seed};
use taiinet_mesh::{Config, Peer};
use taiinet_query::sort::{Place, Sort};

use super::*;

const START: u64 = 1_000_000;

fn identity(number: u8) -> &'static Identity {
    static ALL: LazyLock<Vec<Identity>> = LazyLock::new(|| {
        (0..10).map(|number| Identity::from_seed(&Seed::from_bytes([number; 32]))).collect()
    });
    &ALL[usize::from(number)]
}

fn query() -> SharedQuery {
    r#"{"m": true}"#.parse().expect("a query")
}

/// How a document is written.
#[derive(Debug, Clone)]
struct Said {
    author: u8,
    key: Option<Under>,
    at: u64,
    life: Option<u64>,
    what: What,
}

#[derive(Debug, Clone)]
enum Under {
    Own(u8),
    Shared(u8, Vec<u8>),
    Of(u8, u8),
}

#[derive(Debug, Clone)]
enum What {
    Fields {
        n: u8,
        matches: bool,
    },
    DeletedKey,
    /// Of what was published before, counted from the newest.
    Deleted(Vec<usize>),
}

impl Said {
    fn sign(self, nonce: u32, before: &[Arc<VerifiedDocument>]) -> Option<Arc<VerifiedDocument>> {
        let Self { author, key, at, life, what } = self;
        let key = key.map(|key| match key {
            Under::Own(name) => Key::new(name.to_string()),
            Under::Shared(name, writers) => {
                let peers = writers.into_iter().map(|peer| identity(peer).peer_id());
                Key::shared(name.to_string(), Writers::Peers(PeerSet::new(peers).expect("some")))
            }
            Under::Of(name, owner) => Key::of(name.to_string(), identity(owner).peer_id()),
        });
        let (content, key) = match what {
            What::Fields { n, matches } => {
                let fields = format!(r#"{{"n": {n}, "m": {matches}}}"#);
                (Content::Open(parse_map(&fields).expect("a map")), key)
            }
            What::DeletedKey => (Content::Deleted(Deletion::Key), Some(key?)),
            What::Deleted(which) => {
                let ids = which.into_iter().filter_map(|back| before.iter().rev().nth(back));
                let ids = DocumentIds::new(ids.map(|document| document.id())).ok()?;
                (Content::Deleted(Deletion::Documents(ids)), None)
            }
        };
        let created_at = Timestamp::from_millis(START + at);
        let document = Document {
            network: "n".parse().expect("a name"),
            created_at,
            nonce,
            expires_at: life.map(|life| Timestamp::from_millis(START + at + life + 1)),
            key,
            next_key: None,
            content,
        };
        Some(Arc::new(VerifiedDocument::sign(identity(author), document).expect("signed")))
    }
}

/// What somebody makes of all documents that it knows. Each has its place, if it matches.
#[derive(Debug, Clone)]
struct Naive {
    sort: Sort,
    all: BTreeMap<DocumentId, (Arc<VerifiedDocument>, Option<Place>)>,
}

impl Naive {
    fn learn(&mut self, document: &Arc<VerifiedDocument>) {
        let place = || self.sort.place_of(document).filter(|_| query().matches_document(document));
        self.all.entry(document.id()).or_insert_with(|| (Arc::clone(document), place()));
    }

    fn current(&self, now: Time) -> BTreeMap<Place, Arc<VerifiedDocument>> {
        let mut versions: BTreeMap<(PeerId, &str), Versions> = BTreeMap::new();
        let mut deleted = BTreeSet::new();
        fn name(document: &VerifiedDocument) -> (PeerId, &str) {
            (document.owner(), document.key_name().unwrap_or_default())
        }
        for (document, _) in self.all.values() {
            if let Some(key) = &document.key {
                let versions = versions.entry(name(document)).or_default();
                versions.insert(document.author(), Mark::from(&**document), key);
            }
            if let Content::Deleted(deletion) = document.content() {
                deleted.extend(deletion.documents().map(|id| (*id, document.author())));
            }
        }
        let counts = |document: &VerifiedDocument| {
            !deleted.contains(&(document.id(), document.author()))
                && document.expires_at.is_none_or(|end| Time::from(end) > now)
                && (document.key.is_none()
                    || versions[&name(document)].current().any(|one| one.id == document.id()))
        };
        let current = self.all.values().filter_map(|(document, place)| {
            let place = place.clone()?;
            counts(document).then(|| (place, Arc::clone(document)))
        });
        current.collect()
    }
}

/// A page of a search that is on its way.
#[derive(Debug)]
struct Page {
    find: FindId,
    found: Vec<Hit>,
    cursor: Option<Place>,
    sources: usize,
}

struct World {
    /// Names searches.
    peer: Peer,
    set: SubscriptionId,
    lives: Lives<u8>,
    limit: usize,
    now: Time,
    published: Vec<Arc<VerifiedDocument>>,
    pending: Vec<Arc<VerifiedDocument>>,
    pages: Vec<Page>,
    everything: Naive,
    /// What the set was told of.
    known: Naive,
    /// What its user makes of the changes.
    list: Vec<Arc<VerifiedDocument>>,
    state: LiveState,
}

impl World {
    fn new(sort: &str, limit: u16) -> Self {
        let sort: Sort = sort.parse().expect("a sort");
        let options = LiveOptions { sort: sort.clone(), limit, private: false };
        let mut lives = Lives::default();
        let now = Time::from_millis(START + 1000);
        let mut peer =
            Peer::new(identity(9).clone(), Config::new("n".parse().expect("a name")), [2; 32], now);
        let set = peer.subscribe(query().into_query()).expect("room");
        lives.begin(1, set, query(), options);
        lives.sets.get_mut(&set).expect("a set").set.reserve = 2;
        let mut world = Self {
            peer,
            set,
            lives,
            limit: limit.into(),
            now,
            published: Vec::new(),
            pending: Vec::new(),
            pages: Vec::new(),
            everything: Naive { sort: sort.clone(), all: BTreeMap::new() },
            known: Naive { sort, all: BTreeMap::new() },
            list: Vec::new(),
            state: LiveState::default(),
        };
        world.lives.meet(false);
        world.follow();
        world
    }

    fn publish(&mut self, said: Said) {
        let nonce = u32::try_from(self.published.len()).expect("few");
        if let Some(document) = said.sign(nonce, &self.published) {
            self.everything.learn(&document);
            self.published.push(Arc::clone(&document));
            self.pending.push(document);
        }
    }

    fn arrive(&mut self, which: usize) {
        if self.pending.is_empty() {
            return;
        }
        let document = self.pending.remove(which % self.pending.len());
        if document.expires_at.is_some_and(|end| Time::from(end) <= self.now) {
            return;
        }
        self.known.learn(&document);
        let matches = query().matches_document(&document);
        let matching = matches.then_some(self.set);
        self.lives.comes(&document, None, matching.as_slice());
        self.follow();
    }

    /// A search begins, if one is wanted: those that are asked know all that was published by now, and some have not
    /// heard of what was replaced.
    fn ask(&mut self, outdated: u64, answers: bool) {
        let Some((id, _, options)) = self.lives.next(self.now) else { return };
        let find = self.peer.find(query(), options.clone(), self.now).expect("room");
        self.peer.find_end(find);
        self.lives.sought(id, Some(find), self.now);
        let mut behind = self.everything.current(self.now);
        if let Some(after) = &options.after {
            behind = behind.split_off(after);
            behind.remove(after);
        }
        let limit = usize::from(options.limit);
        let cursor = behind.keys().nth(limit).and(behind.keys().nth(limit - 1)).cloned();
        let mut found: BTreeMap<_, _> = behind.into_iter().take(limit).collect();
        for (number, (document, place)) in self.everything.all.values().enumerate() {
            let Some(place) = place.clone() else { continue };
            let is_asked_for = options.after.as_ref().is_none_or(|after| place > *after)
                && cursor.as_ref().is_none_or(|cursor| place <= *cursor);
            let is_outdated = outdated & (1 << (number % 64)) != 0;
            let lives = document.expires_at.is_none_or(|end| Time::from(end) > self.now);
            if is_asked_for && is_outdated && lives {
                found.insert(place, Arc::clone(document));
            }
        }
        let found = found.into_values().map(|document| (document, None)).collect();
        let page = match answers {
            true => Page { find, found, cursor, sources: 1 },
            false => Page { find, found: Vec::new(), cursor: None, sources: 0 },
        };
        self.pages.push(page);
    }

    fn answer(&mut self) {
        let Some(Page { find, found, cursor, sources }) = self.pages.pop() else { return };
        let is_over = |document: &VerifiedDocument| {
            document.expires_at.is_some_and(|end| Time::from(end) <= self.now)
        };
        for (document, _) in found.iter().filter(|(document, _)| !is_over(document)) {
            self.known.learn(document);
        }
        let complete = cursor.is_none() && sources > 0;
        self.lives.done(find, found, Ended { complete, cursor, sources }, self.now);
        self.follow();
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now.after(time);
        self.lives.expire(self.now);
        self.follow();
    }

    fn meet(&mut self, is_alone: bool) {
        self.lives.meet(is_alone);
        self.follow();
    }

    fn is_at_rest(&self) -> bool {
        let live = &self.lives.sets[&self.set];
        !live.seek.wants() && live.seek.find().is_none() && !live.set.is_short()
    }

    /// Applies the changes, and sees that they are as few as can be.
    fn follow(&mut self) {
        let before: BTreeSet<_> = self.list.iter().map(|document| document.id()).collect();
        let (mut came, mut went) = (BTreeSet::new(), BTreeSet::new());
        for (users, change) in self.lives.told() {
            assert_eq!(users, [1]);
            match change {
                LiveChange::Insert { index, document, .. } => {
                    assert!(came.insert(document.id()), "once");
                    self.list.insert(index, document);
                }
                LiveChange::Update { from, to, document, replaces, .. } => {
                    assert_eq!(self.list.remove(from).id(), replaces);
                    assert!(went.insert(replaces) && came.insert(document.id()), "once");
                    self.list.insert(to, document);
                }
                LiveChange::Remove { index, id, .. } => {
                    assert_eq!(self.list.remove(index).id(), id);
                    assert!(went.insert(id), "once");
                }
                LiveChange::State(state) => {
                    assert!(state != self.state || before.is_empty(), "only what is news");
                    self.state = state;
                }
            }
            assert!(self.list.len() <= self.limit);
        }
        let after: BTreeSet<_> = self.list.iter().map(|document| document.id()).collect();
        assert_eq!(
            came,
            after.difference(&before).copied().collect(),
            "nothing came that was there"
        );
        assert_eq!(went, before.difference(&after).copied().collect(), "nothing went that stays");
        let places: Vec<_> = self.list.iter().map(|one| self.known.sort.place_of(one)).collect();
        assert!(places.is_sorted(), "in order");
        assert_eq!(after.len(), self.list.len(), "each once");
    }

    /// What one who knows all that the set was told of, shows.
    fn naive(&self, all: &Naive) -> Vec<DocumentId> {
        let current = all.current(self.now);
        current.into_values().take(self.limit).map(|document| document.id()).collect()
    }

    fn ids(&self) -> Vec<DocumentId> {
        self.list.iter().map(|document| document.id()).collect()
    }

    /// All comes, and is found.
    fn finish(&mut self) {
        while !self.pending.is_empty() {
            self.arrive(0);
        }
        self.pages.clear();
        if let Some(find) = self.lives.sets[&self.set].seek.find() {
            self.lives.done(
                find,
                Vec::new(),
                Ended { complete: false, cursor: None, sources: 0 },
                self.now,
            );
            self.follow();
        }
        self.meet(true);
        self.meet(false);
        for _ in 0..200 {
            self.ask(!0, true);
            self.answer();
            self.pass(Duration::ZERO);
            if self.is_at_rest() {
                return;
            }
            self.now = self.now.after(Duration::from_secs(1));
        }
        panic!("it never rests");
    }
}

#[derive(Debug, Clone)]
enum Step {
    Publish(Said),
    Arrive(usize),
    Ask { outdated: u64, answers: bool },
    Answer,
    Pass(u64),
    Alone,
}

fn said(sharing: bool) -> impl Strategy<Value = Said> {
    let what = prop_oneof![
        6 => (0..8_u8, prop::bool::weighted(0.8)).prop_map(|(n, matches)| What::Fields { n, matches }),
        1 => Just(What::DeletedKey),
        1 => prop::collection::vec(0..20_usize, 1..9).prop_map(What::Deleted),
    ];
    let key = (prop::bool::weighted(0.6), 0..2_u8, prop::collection::vec(2..5_u8, 1..4));
    let life = proptest::option::weighted(0.2, 0..4000_u64);
    (1..5_u8, key, 0..1000_u64, life, what).prop_map(
        move |(author, (is_keyed, name, writers), at, life, what)| {
            let key = match (sharing, author) {
                (false, _) => Under::Own(name),
                (true, 1) => Under::Shared(name, writers),
                (true, _) => Under::Of(name, 1),
            };
            Said { author, key: is_keyed.then_some(key), at, life, what }
        },
    )
}

fn steps(sharing: bool) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        7 => said(sharing).prop_map(Step::Publish),
        7 => any::<usize>().prop_map(Step::Arrive),
        2 => (any::<u64>(), prop::bool::weighted(0.9)).prop_map(|(outdated, answers)| Step::Ask { outdated, answers }),
        1 => Just(Step::Answer),
        1 => (0..400_u64).prop_map(Step::Pass),
    ];
    let step = prop_oneof![40 => step, 1 => Just(Step::Alone)];
    prop::collection::vec(step, 0..120)
}

fn sorts() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(""), Just("n:desc"), Just("n"), Just("_created_at")]
}

fn run(world: &mut World, steps: Vec<Step>, mut check: impl FnMut(&World)) {
    for step in steps {
        match step {
            Step::Publish(said) => world.publish(said),
            Step::Arrive(which) => world.arrive(which),
            Step::Ask { outdated, answers } => world.ask(outdated, answers),
            Step::Answer => world.answer(),
            Step::Pass(time) => world.pass(Duration::from_millis(time)),
            Step::Alone => {
                world.meet(true);
                world.meet(false);
            }
        }
        check(world);
    }
}

proptest! {
    /// Whatever comes in whichever order: once the set looks for nothing, it shows what one shows who knows all that
    /// the set was ever told of; and while it looks, nothing that does not count.
    #[test]
    fn it_shows_what_is_true(sort in sorts(), limit in 1..6_u16, steps in steps(false)) {
        let mut world = World::new(sort, limit);
        run(&mut world, steps, |world| {
            if world.is_at_rest() {
                assert_eq!(world.ids(), world.naive(&world.known));
            }
            let current = world.known.current(world.now);
            let current: BTreeSet<_> = current.into_values().map(|one| one.id()).collect();
            assert!(world.ids().iter().all(|id| current.contains(id)));
        });
        world.finish();
        assert_eq!(world.ids(), world.naive(&world.known));
        let everything = world.known.current(world.now);
        assert!(world.state.more || everything.len() <= world.limit);
        assert!(!world.state.complete || world.state.more == (everything.len() > world.limit));
        assert_eq!(world.state.phase, Phase::Ready);
    }

    /// The same where several write versions of one document, and grants come late.
    #[test]
    fn it_shows_what_those_may_write_that_do(
        sort in sorts(),
        limit in prop_oneof![1..6_u16, Just(200)],
        steps in steps(true),
    ) {
        let mut world = World::new(sort, limit);
        run(&mut world, steps, |world| {
            // One that was not kept, because others came before it, may count again and is not found at once.
            if world.is_at_rest() && limit == 200 {
                assert_eq!(world.ids(), world.naive(&world.known));
            }
            let current = world.known.current(world.now);
            let current: BTreeSet<_> = current.into_values().map(|one| one.id()).collect();
            assert!(world.ids().iter().all(|id| current.contains(id)));
        });
        world.finish();
        assert_eq!(world.ids(), world.naive(&world.known));
    }
}

fn fields(n: u8) -> Said {
    Said { author: 1, key: None, at: n.into(), life: None, what: What::Fields { n, matches: true } }
}

fn numbers(world: &World) -> Vec<i64> {
    let number = |document: &Arc<VerifiedDocument>| match document.content().fields() {
        Some(fields) => match fields.get("n") {
            Some(taiinet_document::Value::Int(n)) => *n,
            other => panic!("{other:?}"),
        },
        None => panic!("no fields"),
    };
    world.list.iter().map(number).collect()
}

#[test]
fn what_had_no_room_while_it_was_looked_for_others_is_found_when_there_is() {
    let mut world = World::new("n", 2);
    world.ask(0, true);
    (0..6).for_each(|n| world.publish(fields(n)));
    (0..6).for_each(|_| world.arrive(0));
    world.answer();
    assert_eq!((numbers(&world), world.state.more), (vec![0, 1], true));
    world.publish(Said { what: What::Deleted(vec![5, 4, 3]), ..fields(9) });
    world.arrive(0);
    assert_eq!(numbers(&world), [3], "all that it had kept");
    world.ask(0, true);
    world.answer();
    assert_eq!((numbers(&world), world.state.more), (vec![3, 4], true));
}

#[test]
fn of_equal_sets_there_is_one_and_who_comes_later_is_told_what_it_has() {
    let mut world = World::new("n", 2);
    (0..3).for_each(|n| world.publish(fields(n)));
    (0..3).for_each(|_| world.arrive(0));
    let options = LiveOptions { sort: "n".parse().expect("a sort"), limit: 2, private: false };
    let other = LiveOptions { limit: 3, ..options.clone() };
    assert!(!world.lives.join(2, &query(), &other) && world.lives.join(2, &query(), &options));
    let told = world.lives.told();
    assert!(told.iter().all(|(users, _)| *users == [2]));
    let inserted = told.iter().map(|(_, change)| match change {
        LiveChange::Insert { index, document, .. } => Some((*index, document.id())),
        _ => None,
    });
    let shown = world.ids().into_iter().enumerate().map(Some).chain([None]);
    assert!(inserted.eq(shown));
    world.publish(Said { what: What::Deleted(vec![2]), ..fields(9) });
    world.lives.comes(&world.pending[0], None, &[]);
    let told = world.lives.told();
    assert!(told.iter().all(|(users, _)| *users == [1, 2]));
    assert!(matches!(told[0].1, LiveChange::Remove { index: 0, reason: Removal::Deleted, .. }));
    assert_eq!(world.lives.leave(1), Some(None), "there is another");
    assert_eq!(world.lives.leave(2), Some(Some((world.set, None))));
    assert_eq!(world.lives.leave(2), None);
    assert!(!world.lives.join(3, &query(), &options));
}

/// Without neighbours what is shown may be overtaken; then all is looked for again.
#[test]
fn it_says_how_far_it_is() {
    let mut world = World::new("", 2);
    let is = |world: &World, phase, complete, more| {
        assert_eq!(world.state, LiveState { phase, complete, more });
    };
    world.publish(fields(1));
    world.arrive(0);
    is(&world, Phase::Loading, false, false);
    world.ask(0, false);
    world.answer();
    is(&world, Phase::Loading, false, false);
    world.ask(0, true);
    assert!(world.pages.is_empty(), "not again at once");
    let due = world.lives.deadline(true).expect("later");
    assert_eq!(world.lives.deadline(false), None, "if there is somebody to ask");
    world.now = due;
    world.ask(0, true);
    world.answer();
    is(&world, Phase::Ready, true, false);
    assert_eq!(world.lives.deadline(true), None, "that was all");
    world.meet(true);
    is(&world, Phase::Stale, true, false);
    world.publish(fields(2));
    world.publish(fields(3));
    world.meet(false);
    is(&world, Phase::Stale, true, false);
    world.ask(0, true);
    world.answer();
    is(&world, Phase::Ready, true, true);
    assert_eq!(numbers(&world), [3, 2]);
}

#[test]
fn what_is_large_takes_room_from_others_and_nothing_is_held_for_those_that_are_gone() {
    let mut world = World::new("n", 5);
    world.ask(0, true);
    world.answer();
    (0..5).for_each(|n| {
        world.publish(Said { key: Some(Under::Own(n)), life: Some(5000), ..fields(n) });
    });
    world.arrive(0);
    let live = world.lives.sets.get_mut(&world.set).expect("a set");
    live.set.most_bytes = 2500;
    (0..4).for_each(|_| world.arrive(0));
    let shown = numbers(&world);
    assert!((1..5).contains(&shown.len()) && shown.first() == Some(&0), "{shown:?}");
    assert!(world.state.more && !world.lives.sets[&world.set].set.is_short());
    world.pass(Duration::from_secs(9));
    assert!(world.list.is_empty() && world.lives.sets[&world.set].set.is_empty());
}
