//! The order of documents, and places in it.
//!
//! A [`Sort`] says by which fields documents are sorted, a [`Place`] where one of them stands:
//!
//! ```
//! use taiinet_document::{Timestamp, parse_map};
//! use taiinet_identity::PeerId;
//! use taiinet_query::{Attributes, sort::Sort};
//!
//! let sort: Sort = "likes:desc".parse()?;
//! let attributes = Attributes {
//!     id: None,
//!     author: PeerId::from_bytes([7; 32]),
//!     owner: PeerId::from_bytes([7; 32]),
//!     key: None,
//!     created_at: Timestamp::from_millis(1_700_000_000_000),
//! };
//! let most_liked = sort.place(attributes, &parse_map(r#"{"likes": 100}"#)?);
//! let less_liked = sort.place(attributes, &parse_map(r#"{"likes": [3, 7.5]}"#)?);
//! assert!(most_liked < less_liked);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Order
//! Values have MongoDB's order: null and what is missing, numbers by their exact value, strings by their
//! UTF-8 bytes, maps, lists, bytes by length first, booleans. A field that is a list, or that is reached
//! through a list of maps, sorts by its least value if ascending and by its greatest if descending; a list
//! without elements comes before null; an element on the way that is no map counts as null. An index that
//! ends a path (`"a.0"`) names the element as it is, even if it is a list.
//!
//! Documents that are alike in all fields are sorted by time, then by `_id`: newest first if the first
//! field is descending, oldest first if it is ascending. A last field `_created_at` says it the other way
//! (`"likes:desc,_created_at:asc"`).
//!
//! **By definition** only the beginning of a value counts, [`SORT_VALUE_BYTES`](crate::limits::SORT_VALUE_BYTES)
//! of its encoding: strings that have their first 95 bytes in common are sorted by time. All peers agree on
//! that, and a cursor is never long.
//!
//! # Values
//! The encoding of a value. It begins with a tag, and no encoding is the beginning of another, nor is any
//! that is cut at [`SORT_VALUE_BYTES`](crate::limits::SORT_VALUE_BYTES); so one can follow another, and
//! `memcmp` compares them all.
//!
//! | value | tag | then |
//! |---|---|---|
//! | a list without elements, where the field is sorted by its elements | 08 | |
//! | null, missing | 10 | |
//! | number | 20 | 8 bytes, big-endian: the bits of the greatest float (binary64) not above it, with the sign bit inverted if it is positive, else with all bits inverted; −0 is 0. If that float is 2⁵³ or more, or −2⁵³ or less: 2 bytes, big-endian: how much greater the integer is |
//! | string | 30 | each byte of UTF-8, plus one; 00 |
//! | map | 40 | of each field, by ascending names: the tag of its value, its name (each byte plus one; 00), the rest of its value; then 00 |
//! | list | 50 | the encoding of each element; 00 |
//! | bytes | 60 | 8 bytes, big-endian: how many; the bytes |
//! | boolean | 70 | 00 for false, 01 for true |
//!
//! (The other two tags stand in indexes only: [`IndexKeys`](crate::IndexKeys).)
//!
//! # Places
//! | part | bytes |
//! |---|---|
//! | of each field, what it sorts by | its encoding, cut; all bits inverted if the field is descending |
//! | `created_at` | 8, big-endian: milliseconds since 1970 |
//! | id | 32 (zeros before the document is signed) |
//!
//! Time and id have all bits inverted if they are descending. A last field `_created_at` adds nothing of
//! its own, so the places of [`Sort::newest`] and [`Sort::oldest`] have 40 bytes.

mod error;
mod place;

use core::{cmp::Ordering, fmt, str::FromStr};
use std::sync::Arc;

use taiinet_document::{DocumentId, Map, Timestamp, Value, VerifiedDocument};

pub use self::{
    error::SortError,
    place::{Place, PlaceError},
};
use crate::{
    ast::Path,
    encoding,
    fuel::{Fuel, OutOfFuel},
    limits, order,
    subject::{Attributes, Subject},
    walk::{self, End},
};

/// The name of a document that has none yet.
const UNSIGNED: DocumentId = DocumentId::from_bytes([0; 32]);
/// The reserved field that a sort may end with.
const CREATED_AT: &str = "_created_at";

/// Which end of an order comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// The least first.
    Ascending,
    /// The greatest first.
    Descending,
}

impl Direction {
    /// As in the text form of a [`Sort`].
    const fn name(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        }
    }
}

/// The order in which documents are wanted: by up to [`limits::SORT_FIELDS`] fields, then by time and id.
/// Cheap to clone.
///
/// As text, fields stand between commas, each with its direction; [`Display`](fmt::Display) gives the one
/// canonical text, which parses to the same again:
///
/// ```
/// # use taiinet_query::sort::Sort;
/// assert_eq!("likes:desc, author.name".parse::<Sort>()?.to_string(), "likes:desc,author.name:asc");
/// assert_eq!("".parse::<Sort>()?, Sort::newest());
/// assert_eq!(Sort::newest().to_string(), "_created_at:desc");
/// # Ok::<(), taiinet_query::sort::SortError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sort {
    /// Without a last field `_created_at`, which `time` says.
    fields: Arc<[(Path, Direction)]>,
    time: Direction,
}

impl Sort {
    /// By descending time, the default.
    pub fn newest() -> Self {
        Self { fields: Arc::default(), time: Direction::Descending }
    }

    /// By ascending time.
    pub fn oldest() -> Self {
        Self { fields: Arc::default(), time: Direction::Ascending }
    }

    /// By these fields, the first one first; without fields: [`Self::newest`].
    ///
    /// # Errors
    /// [`SortError`]; all [`limits`] hold for what is accepted.
    pub fn by(fields: &[(&str, Direction)]) -> Result<Self, SortError> {
        if fields.len() > limits::SORT_FIELDS {
            return Err(SortError::TooManyFields);
        }
        let mut sort = Vec::with_capacity(fields.len());
        for (i, &(field, direction)) in fields.iter().enumerate() {
            if field.len() > limits::SORT_BYTES {
                return Err(SortError::TooLong { bytes: field.len() });
            }
            let named = || field.to_owned();
            let path =
                field.parse().map_err(|reason| SortError::Path { field: named(), reason })?;
            if field.contains(',') || field.trim() != field {
                return Err(SortError::Unwritable { field: named() });
            }
            if fields.iter().take(i).any(|(earlier, _)| *earlier == field) {
                return Err(SortError::Twice { field: named() });
            }
            sort.push((path, direction));
        }
        let last_is_time =
            sort.last().is_some_and(|(path, _): &(Path, _)| path.as_str() == CREATED_AT);
        let said = if last_is_time { sort.pop().map(|(_, direction)| direction) } else { None };
        let first = sort.first().map(|(_, direction)| *direction);
        let time = said.or(first).unwrap_or(Direction::Descending);
        let sort = Self { fields: sort.into(), time };
        match sort.to_string().len() {
            bytes if bytes > limits::SORT_BYTES => Err(SortError::TooLong { bytes }),
            _ => Ok(sort),
        }
    }

    /// Reads a text like `likes:desc,author.name`. A field without a direction is ascending; spaces around
    /// fields do not count; of a name with colons, only what follows the last one is the direction.
    ///
    /// # Errors
    /// As [`Self::by`], and [`SortError::Direction`]. Text longer than [`limits::SORT_BYTES`] is refused
    /// unread.
    pub fn parse(text: &str) -> Result<Self, SortError> {
        if text.len() > limits::SORT_BYTES {
            return Err(SortError::TooLong { bytes: text.len() });
        }
        if text.trim().is_empty() {
            return Ok(Self::newest());
        }
        let fields = text.split(',').map(|field| match field.trim().rsplit_once(':') {
            None => Ok((field.trim(), Direction::Ascending)),
            Some((field, "asc")) => Ok((field, Direction::Ascending)),
            Some((field, "desc")) => Ok((field, Direction::Descending)),
            Some((field, found)) => {
                Err(SortError::Direction { field: field.to_owned(), found: found.to_owned() })
            }
        });
        Self::by(&fields.collect::<Result<Vec<_>, _>>()?)
    }

    /// Whether it is the default order.
    pub fn is_newest(&self) -> bool {
        self.fields.is_empty() && self.time == Direction::Descending
    }

    /// The fields, the first one first. A last field `_created_at` is not among them: see [`Self::time`].
    pub fn fields(&self) -> &[(Path, Direction)] {
        &self.fields
    }

    /// The direction of what follows after the fields, time and id.
    pub const fn time(&self) -> Direction {
        self.time
    }

    /// The place of a document; before it is signed it has the id 0.
    pub fn place(&self, attributes: Attributes<'_>, content: &Map) -> Place {
        self.write(attributes, content, &Fuel::unlimited())
    }

    /// As [`Self::place`], but no more work is done than there is fuel for.
    ///
    /// # Errors
    /// [`OutOfFuel`]. The fuel is of no use then: take what it has left for another.
    pub fn place_within(
        &self,
        attributes: Attributes<'_>,
        content: &Map,
        fuel: &Fuel,
    ) -> Result<Place, OutOfFuel> {
        let place = self.write(attributes, content, fuel);
        if fuel.ran_out() { Err(OutOfFuel) } else { Ok(place) }
    }

    /// The place of a signed document; `None` for what has no fields and matches no query: a deletion, a
    /// subscription, and content that only a later version can read.
    pub fn place_of(&self, document: &VerifiedDocument) -> Option<Place> {
        Some(self.place(Attributes::of(document), document.content().fields()?))
    }

    /// When the document of a place of this order was created, and its id.
    pub fn moment(&self, place: &Place) -> (Timestamp, DocumentId) {
        let mut time = [0; 8];
        let mut id = [0; 32];
        let tail = place.as_bytes().iter().rev().map(|byte| match self.time {
            Direction::Ascending => *byte,
            Direction::Descending => !byte,
        });
        time.iter_mut().chain(&mut id).rev().zip(tail).for_each(|(to, byte)| *to = byte);
        (Timestamp::from_millis(u64::from_be_bytes(time)), DocumentId::from_bytes(id))
    }

    /// The place of this moment in an order by time alone ([`Self::newest`], [`Self::oldest`]); the reverse of
    /// [`Self::moment`].
    pub fn at(&self, created_at: Timestamp, id: DocumentId) -> Place {
        let mut bytes = Vec::with_capacity(limits::PLACE_BYTES_LEAST);
        self.append_moment(created_at, id, &mut bytes);
        Place::new(bytes)
    }

    fn append_moment(&self, created_at: Timestamp, id: DocumentId, bytes: &mut Vec<u8>) {
        let from = bytes.len();
        bytes.extend_from_slice(&created_at.as_millis().to_be_bytes());
        bytes.extend_from_slice(id.as_bytes());
        direct(bytes, from, self.time);
    }

    fn write(&self, attributes: Attributes<'_>, content: &Map, fuel: &Fuel) -> Place {
        let subject = Subject::new(attributes, content);
        let mut bytes = Vec::with_capacity(limits::PLACE_BYTES_LEAST + 32 * self.fields.len());
        for (path, direction) in self.fields.iter() {
            let from = bytes.len();
            match extreme(&subject, path, *direction, fuel) {
                Some(value) => {
                    encoding::append(value, &mut bytes);
                }
                None => encoding::append_no_element(&mut bytes),
            }
            direct(&mut bytes, from, *direction);
        }
        self.append_moment(attributes.created_at, attributes.id.unwrap_or(UNSIGNED), &mut bytes);
        Place::new(bytes)
    }
}

/// Inverts what was written since, if it is descending.
fn direct(bytes: &mut [u8], from: usize, direction: Direction) {
    if direction == Direction::Descending {
        bytes.iter_mut().skip(from).for_each(|byte| *byte = !*byte);
    }
}

/// What a field sorts by: a value, or that of a list without elements, which is less than any.
type By<'v> = Option<&'v Value>;

const NULL: By<'static> = Some(&Value::Null);

/// The least or greatest of a field's values.
fn extreme<'v>(subject: &'v Subject<'_>, path: &Path, direction: Direction, fuel: &Fuel) -> By<'v> {
    let mut best: Option<By<'v>> = None;
    let mut take = |by: By<'v>| {
        let better = best.is_none_or(|best| match direction {
            Direction::Ascending => compare(by, best, fuel).is_lt(),
            Direction::Descending => compare(by, best, fuel).is_gt(),
        });
        if better {
            best = Some(by);
        }
    };
    walk::any_end(subject, path, fuel, &mut |end| {
        match end {
            End::Missing | End::Gap => take(NULL),
            End::Value(Value::List(list)) if list.is_empty() => take(None),
            End::Value(Value::List(list)) => list.iter().for_each(|element| take(Some(element))),
            End::Value(value) | End::Element(value) => take(Some(value)),
        }
        fuel.ran_out()
    });
    best.unwrap_or(NULL)
}

fn compare(a: By<'_>, b: By<'_>, fuel: &Fuel) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if fuel.compare(a, b) => order::compare(a, b),
        (Some(_), Some(_)) => Ordering::Equal,
        _ => a.is_some().cmp(&b.is_some()),
    }
}

/// As [`Sort::parse`].
impl FromStr for Sort {
    type Err = SortError;

    fn from_str(text: &str) -> Result<Self, SortError> {
        Self::parse(text)
    }
}

/// [`Sort::newest`]
impl Default for Sort {
    fn default() -> Self {
        Self::newest()
    }
}

/// The canonical text.
impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for (path, direction) in self.fields.iter() {
            write!(f, "{comma}{path}:{}", direction.name())?;
            comma = ",";
        }
        match self.fields.first() {
            Some((_, direction)) if *direction == self.time => Ok(()),
            _ => write!(f, "{comma}{CREATED_AT}:{}", self.time.name()),
        }
    }
}

impl fmt::Debug for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sort({self})")
    }
}

#[cfg(test)]
mod tests;
