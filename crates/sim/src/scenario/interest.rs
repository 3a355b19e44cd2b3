//! Who wants what, and documents that about so many want: the distributions that interest routing was first
//! simulated with, so that figures compare.

use std::fmt::Write as _;

use super::{sections::Interest, values::SomeShare};
use crate::rng::Rng;

/// Scores are whole numbers below this.
const SCALE: f64 = 1e9;
/// How often a document is drawn before nobody believes any more that one is wanted by so many.
const TRIES: usize = 60_000;

/// What one subscription wants: all that is said of it here.
#[derive(Debug, Clone, Default, PartialEq)]
struct Wish {
    kind: Option<u64>,
    tag: Option<u64>,
    author: Option<u64>,
    /// From one score, up to another.
    score: Option<(f64, f64)>,
    /// The first word of the title.
    word: Option<u64>,
}

/// A document, and who wants it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    kind: u64,
    tag: u64,
    author: u64,
    score: f64,
    /// By index, in order.
    pub(super) wanted_by: Vec<u32>,
}

/// The interests of all peers.
#[derive(Debug)]
pub(super) struct Wishes {
    interest: Interest,
    of_peers: Vec<Vec<Wish>>,
    kinds: Zipf,
    tags: Zipf,
}

/// Numbers from 0 on, the smaller the more often.
#[derive(Debug)]
pub(super) struct Zipf(Vec<f64>);

impl Zipf {
    pub(super) fn new(count: usize, exponent: f64) -> Self {
        let mut sum = 0.0;
        let weights = (1..=count.max(1)).map(|rank| (rank as f64).powf(-exponent));
        let mut sums: Vec<f64> = weights
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect();
        sums.iter_mut().for_each(|upto| *upto /= sum);
        Self(sums)
    }

    pub(super) fn draw(&self, rng: &mut Rng) -> usize {
        let at = rng.unit();
        self.0.partition_point(|upto| *upto <= at).min(self.0.len() - 1)
    }
}

impl Wish {
    fn wants(&self, draft: &Draft) -> bool {
        self.kind.is_none_or(|kind| kind == draft.kind)
            && self.tag.is_none_or(|tag| tag == draft.tag)
            && self.author.is_none_or(|author| author == draft.author)
            && self.word.is_none_or(|word| word == draft.kind)
            && self.score.is_none_or(|(from, to)| (from..to).contains(&draft.score))
    }

    fn query(&self) -> String {
        let mut parts = Vec::new();
        if let Some(kind) = self.kind {
            parts.push(format!(r#""type":"t{kind}""#));
        }
        if let Some(tag) = self.tag {
            parts.push(format!(r#""tag":"g{tag}""#));
        }
        if let Some(author) = self.author {
            parts.push(format!(r#""from":{author}"#));
        }
        if let Some((from, to)) = self.score {
            parts.push(format!(r#""score":{{"$gte":{from},"$lt":{to}}}"#));
        }
        if let Some(word) = self.word {
            parts.push(format!(r#""title":{{"$regex":"^w{word}\\b"}}"#));
        }
        format!("{{{}}}", parts.join(","))
    }
}

impl Draft {
    /// What it says, in JSON.
    pub(super) fn content(&self, number: usize, bytes: usize) -> String {
        let Self { kind, tag, author, score, .. } = self;
        let mut text = format!(
            r#"{{"number":{number},"type":"t{kind}","tag":"g{tag}","from":{author},"score":{score},"title":"w{kind} of {number}","text":""#
        );
        // So much that no two have the same text, and none is compressed by chance.
        while text.len() < bytes.saturating_sub(2) {
            let _ = write!(text, "{number:x}.");
        }
        text.push_str(r#""}"#);
        text
    }
}

impl Wishes {
    pub(super) fn draw(interest: &Interest, peers: usize, rng: &mut Rng) -> Self {
        let (kinds, tags) = match interest {
            Interest::Everyone => (Zipf::new(100, 0.0), Zipf::new(1, 1.0)),
            Interest::Topics(of) | Interest::Regex(of) => {
                (Zipf::new(of.topics.get(), 1.0), Zipf::new(1, 1.0))
            }
            Interest::Clustered(of) => (Zipf::new(of.topics.get(), 1.0), Zipf::new(1, 1.0)),
            _ => {
                (Zipf::new(if is_narrow(interest) { 2000 } else { 200 }, 0.8), Zipf::new(2000, 0.9))
            }
        };
        let mut wishes = Self { interest: interest.clone(), of_peers: Vec::new(), kinds, tags };
        wishes.of_peers = (0..peers).map(|peer| wishes.of_one(peer, peers, rng)).collect();
        wishes
    }

    fn of_one(&self, peer: usize, peers: usize, rng: &mut Rng) -> Vec<Wish> {
        let range = |width: f64, rng: &mut Rng| {
            let from = (rng.unit() * (1.0 - width) * SCALE).floor();
            Some((from, (from + width * SCALE).floor().max(from + 1.0)))
        };
        let mut wishes = Vec::new();
        match &self.interest {
            Interest::Everyone => wishes.push(Wish::default()),
            Interest::Ranges(of) => {
                wishes.push(Wish { score: range(of.share.get(), rng), ..Wish::default() });
            }
            Interest::LogUniformRanges(_) => {
                let width = 10_f64.powf(3.0f64.mul_add(rng.unit(), -4.0));
                wishes.push(Wish { score: range(width, rng), ..Wish::default() });
            }
            interest => {
                for _ in 0..=rng.below(3) {
                    let wish = match interest {
                        Interest::Topics(_) => {
                            let kind = Some(self.kinds.draw(rng) as u64);
                            Wish { kind, ..Wish::default() }
                        }
                        Interest::Regex(_) => {
                            let word = Some(self.kinds.draw(rng) as u64);
                            Wish { word, ..Wish::default() }
                        }
                        Interest::Clustered(of) => {
                            let group = peer % of.clusters.get();
                            let topic = group * of.topics.get() + self.kinds.draw(rng);
                            Wish { kind: Some(topic as u64), ..Wish::default() }
                        }
                        _ => self.conjunction(peers, range, rng),
                    };
                    if !wishes.contains(&wish) {
                        wishes.push(wish);
                    }
                }
            }
        }
        wishes
    }

    fn conjunction(
        &self,
        peers: usize,
        range: impl Fn(f64, &mut Rng) -> Option<(f64, f64)>,
        rng: &mut Rng,
    ) -> Wish {
        let form = rng.below(7);
        let mut wish = Wish::default();
        if form == 4 {
            wish.author = Some((peers as f64 * rng.unit().powi(3)) as u64);
        }
        if [1, 2, 3].contains(&form) {
            wish.tag = Some(self.tags.draw(rng) as u64);
        }
        if [0, 3, 6].contains(&form) {
            wish.kind = Some(self.kinds.draw(rng) as u64);
        }
        if [0, 2, 5].contains(&form) {
            let decades =
                if is_narrow(&self.interest) && form == 5 { (-4.0, 1.7) } else { (-3.0, 2.5) };
            let width = 10_f64.powf(decades.0 + decades.1 * rng.unit());
            wish.score = range(width, rng);
        }
        wish
    }

    /// These peers want nothing.
    pub(super) fn forget(&mut self, peers: &[usize]) {
        for peer in peers {
            if let Some(wishes) = self.of_peers.get_mut(*peer) {
                wishes.clear();
            }
        }
    }

    /// What a peer subscribes to.
    pub(super) fn queries(&self, peer: usize) -> impl Iterator<Item = String> {
        self.of_peers.get(peer).into_iter().flatten().map(Wish::query)
    }

    /// A document that about the share wants.
    ///
    /// # Errors
    /// If none is found.
    pub(super) fn document(&self, rng: &mut Rng) -> Result<Draft, String> {
        let peers = self.of_peers.len();
        let (share, most) = match self.interest {
            Interest::Everyone => (SomeShare::of(1.0), 1.0),
            Interest::Topics(of) | Interest::Regex(of) => (of.share, 1.5),
            Interest::Clustered(of) => (of.share, 1.5),
            Interest::Ranges(of) | Interest::LogUniformRanges(of) | Interest::Conjunctions(of) => {
                (of.share, 1.5)
            }
        };
        let wanted = share.get() * peers as f64;
        for _ in 0..TRIES {
            let draft = self.any(rng);
            let count = draft.wanted_by.len() as f64;
            if count >= 0.6 * wanted && count <= most * wanted && count >= 1.0 {
                return Ok(draft);
            }
        }
        Err(format!(
            "of {TRIES} documents none is wanted by about {wanted} of {peers} peers: \
             take another share, more peers, or another number of topics"
        ))
    }

    fn any(&self, rng: &mut Rng) -> Draft {
        let kind = match &self.interest {
            Interest::Topics(of) | Interest::Regex(of) => rng.below(of.topics.get() as u64),
            Interest::Clustered(of) => rng.below((of.clusters.get() * of.topics.get()) as u64),
            _ => self.kinds.draw(rng) as u64,
        };
        let mut draft = Draft {
            kind,
            tag: self.tags.draw(rng) as u64,
            author: rng.below(self.of_peers.len() as u64),
            score: (rng.unit() * SCALE).floor(),
            wanted_by: Vec::new(),
        };
        let wants = |wishes: &Vec<Wish>| wishes.iter().any(|wish| wish.wants(&draft));
        let wanting = self.of_peers.iter().enumerate().filter(|(_, wishes)| wants(wishes));
        draft.wanted_by = wanting.filter_map(|(peer, _)| u32::try_from(peer).ok()).collect();
        draft
    }
}

/// Whether so few want a document that conjunctions have to be narrow.
fn is_narrow(interest: &Interest) -> bool {
    matches!(interest, Interest::Conjunctions(of) if of.share.get() < 0.005)
}

#[cfg(test)]
mod tests {
    use taiinet_query::Query;

    use super::*;
    use crate::{
        forge,
        scenario::sections::{Clustered, OfShare, Topics},
        scenario::values::Count,
    };

    /// Who wants a document is said twice, here and by the query: they agree, for every kind of interest.
    #[test]
    fn the_queries_want_what_the_wishes_want() {
        let share = SomeShare::of(0.02);
        let topics = Topics { share, topics: Count::of(60) };
        let clustered =
            Clustered { share: SomeShare::of(0.02), clusters: Count::of(5), topics: Count::of(12) };
        let kinds = [
            Interest::Everyone,
            Interest::Topics(topics),
            Interest::Clustered(clustered),
            Interest::Ranges(OfShare { share }),
            Interest::LogUniformRanges(OfShare { share }),
            Interest::Conjunctions(OfShare { share }),
            Interest::Conjunctions(OfShare { share: SomeShare::of(0.004) }),
            Interest::Regex(topics),
        ];
        for kind in kinds {
            let mut rng = Rng::new(3);
            let peers = 500;
            let wishes = Wishes::draw(&kind, peers, &mut rng);
            let queries: Vec<Vec<Query>> = (0..peers)
                .map(|peer| {
                    let queries = wishes.queries(peer);
                    queries.map(|query| Query::from_json(&query).expect("valid")).collect()
                })
                .collect();
            for number in 0..5 {
                let draft = wishes.document(&mut rng).expect("there is one");
                let content = forge::fields(&draft.content(number, 300));
                let wants =
                    |queries: &Vec<Query>| queries.iter().any(|query| query.matches(&content));
                let by_queries: Vec<u32> =
                    (0..).zip(&queries).filter(|(_, of)| wants(of)).map(|(peer, _)| peer).collect();
                assert_eq!(draft.wanted_by, by_queries, "{kind:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_said() {
        let kind = Interest::Ranges(OfShare { share: SomeShare::of(0.001) });
        let mut rng = Rng::new(1);
        let wishes = Wishes::draw(&kind, 20, &mut rng);
        assert!(wishes.document(&mut rng).is_err_and(|why| why.contains("more peers")));
    }
}
