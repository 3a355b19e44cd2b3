//! What a query says of the reserved fields, so that documents can be found by them.

use taiinet_document::{DocumentId, Timestamp, Value};
use taiinet_identity::PeerId;

use crate::{
    Query,
    ast::{Clause, Field, Order, Test, Tree},
};

/// What signed documents must have to match. Nothing is missed: `None` is anything.
impl Query {
    /// The earliest and the latest `_created_at`, both included. If the earliest is later than the latest,
    /// nothing matches.
    pub fn times(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let (since, until) = span(self.clause());
        let since = u64::try_from(since).ok().filter(|since| *since > 0);
        // What is later than that is `i64::MAX` to queries.
        let until = (until < i64::MAX).then(|| u64::try_from(until).unwrap_or(0));
        (since.map(Timestamp::from_millis), until.map(Timestamp::from_millis))
    }

    /// The authors, of whom one must be `_author`. None of them: nothing matches.
    pub fn authors(&self) -> Option<Vec<PeerId>> {
        let texts = one_of(self.clause(), "_author")?;
        Some(sorted(texts.iter().filter_map(|text| text.as_ref()?.parse().ok()).collect()))
    }

    /// The keys, of which one must be `_key`; `None` also if a document without a key may match. None of
    /// them: nothing matches.
    pub fn document_keys(&self) -> Option<Vec<String>> {
        let keys = one_of(self.clause(), "_key")?.into_iter();
        Some(sorted(keys.map(|key| key.map(str::to_owned)).collect::<Option<_>>()?))
    }

    /// The names, of which one must be `_id`. None of them: nothing matches.
    pub fn ids(&self) -> Option<Vec<DocumentId>> {
        let texts = one_of(self.clause(), "_id")?;
        Some(sorted(texts.iter().filter_map(|text| id(text.as_ref()?)).collect()))
    }
}

fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}

/// From the one text form that `_id` has.
fn id(text: &str) -> Option<DocumentId> {
    let id: DocumentId = text.parse().ok()?;
    (id.to_string() == text).then_some(id)
}

/// The texts, or `None` for null, of which a field must have one; the field has one value or none. Other
/// types are left out, since the field never has them.
fn one_of<'q>(clause: &'q Clause, field: &str) -> Option<Vec<Option<&'q str>>> {
    let text = |value: &'q Value| match value {
        Value::String(text) => Some(Some(text.as_str())),
        Value::Null => Some(None),
        _ => None,
    };
    match clause {
        Tree::Is(Field { path, test }) if path.as_str() == field => match test {
            Test::Eq(literal) => Some(text(literal.value()).into_iter().collect()),
            Test::In(literals) => {
                Some(literals.iter().filter_map(|literal| text(literal.value())).collect())
            }
            _ => None,
        },
        Tree::Is(_) | Tree::Not(_) => None,
        Tree::All(branches) => {
            let each = branches.iter().filter_map(|branch| one_of(branch, field));
            each.reduce(|mut common, other| {
                common.retain(|text| other.contains(text));
                common
            })
        }
        Tree::Any(branches) => {
            let mut together = Vec::new();
            for branch in branches {
                together.extend(one_of(branch, field)?);
            }
            Some(together)
        }
    }
}

/// The least and the greatest `_created_at` that can match.
fn span(clause: &Clause) -> (i64, i64) {
    const ALL: (i64, i64) = (i64::MIN, i64::MAX);
    const NOTHING: (i64, i64) = (i64::MAX, i64::MIN);
    match clause {
        Tree::Is(Field { path, test }) if path.as_str() == "_created_at" => match test {
            Test::Eq(literal) => within(None, literal.value()),
            Test::In(literals) => literals
                .iter()
                .map(|literal| within(None, literal.value()))
                .fold(NOTHING, |(a, b), (from, to)| (a.min(from), b.max(to))),
            Test::Compare(side, literal) => within(Some(*side), literal.value()),
            _ => ALL,
        },
        Tree::Is(_) | Tree::Not(_) => ALL,
        Tree::All(branches) => {
            branches.iter().map(span).fold(ALL, |(a, b), (from, to)| (a.max(from), b.min(to)))
        }
        Tree::Any(branches) => {
            branches.iter().map(span).fold(NOTHING, |(a, b), (from, to)| (a.min(from), b.max(to)))
        }
    }
}

/// The integers on one side of a number, or equal to it.
fn within(side: Option<Order>, number: &Value) -> (i64, i64) {
    // The greatest integer not above, the least not below; the casts saturate. Of more bits than times have: what lies
    // beyond all times must not become the last of them.
    let (below, above) = match number {
        Value::Int(int) => (i128::from(*int), i128::from(*int)),
        Value::Float(float) => (float.floor() as i128, float.ceil() as i128),
        // It is always a number.
        _ => return (i64::MAX, i64::MIN),
    };
    let whole = i128::from(below == above);
    let (from, to) = match side {
        None => (above, below),
        Some(Order::Gte) => (above, i128::MAX),
        Some(Order::Gt) => (above.saturating_add(whole), i128::MAX),
        Some(Order::Lte) => (i128::MIN, below),
        Some(Order::Lt) => (i128::MIN, below.saturating_sub(whole)),
    };
    let time = |number: i128| number.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    (time(from), time(to))
}

#[cfg(test)]
mod tests;
