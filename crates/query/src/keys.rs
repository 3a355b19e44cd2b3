//! Under which keys a document stands in an index of one path.

use taiinet_document::{Map, Value, VerifiedDocument};

use crate::{
    ast::Path,
    encoding,
    fuel::Fuel,
    limits::INDEX_KEYS,
    subject::{Attributes, Subject},
    walk::{self, End, Fields},
};

/// The keys under which a document stands in the index of one path, so that
/// [`Query::bounds`](crate::Query::bounds) finds it there: what MongoDB's multikey index holds, and a
/// little more.
///
/// A key is a value in its [encoding](crate::sort#values), cut at
/// [`SORT_VALUE_BYTES`](crate::limits::SORT_VALUE_BYTES). There is one for each value at the path, and if
/// that is a list, one for each of its elements as well; nothing counts as null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexKeys {
    /// From 1 to [`INDEX_KEYS`] keys, sorted, each once.
    pub keys: Vec<Vec<u8>>,
    /// There can be several values at the path: it leads to a list, or through one to several ends. One of
    /// the keys says so, [`Self::SEVERAL`].
    pub is_list: bool,
    /// There are more than [`INDEX_KEYS`] keys. The only one here is [`Self::OVERFLOW`] then, which lies
    /// within all [`Bounds`](crate::Bounds) that anything can match.
    pub overflow: bool,
}

impl IndexKeys {
    /// The key of documents with several values at the path. Two operators may be fulfilled by two
    /// different values of such a document, so it does not need to have a key that fulfils both.
    pub const SEVERAL: &'static [u8] = &[encoding::SEVERAL];
    /// The key of documents with more values at the path than are kept: each may be what is looked for.
    pub const OVERFLOW: &'static [u8] = &[encoding::OVERFLOW];

    /// Those of a document; `None` for what has no fields and matches no query: a deletion, a
    /// subscription, and content that only a later version can read.
    pub fn of(path: &Path, document: &VerifiedDocument) -> Option<Self> {
        Subject::of(document).map(|subject| keys(path, &subject))
    }
}

/// The keys of a document in the index of a path. The work is bounded by the document.
pub fn index_keys(path: &Path, attributes: Attributes<'_>, content: &Map) -> IndexKeys {
    keys(path, &Subject::new(attributes, content))
}

pub(crate) fn keys(path: &Path, fields: &dyn Fields) -> IndexKeys {
    let mut gathered = Gathered { keys: Vec::new(), scratch: Vec::new(), full: false };
    let mut ends = 0_usize;
    let mut is_list = false;
    walk::any_end(fields, path, &Fuel::unlimited(), &mut |end| {
        ends += 1;
        match end {
            End::Missing | End::Gap => gathered.add(&Value::Null),
            End::Value(value) | End::Element(value) => {
                gathered.add(value);
                if let Value::List(list) = value {
                    is_list = true;
                    list.iter().take_while(|element| gathered.add(element)).count();
                }
                !gathered.full
            }
        };
        gathered.full
    });
    if ends == 0 {
        gathered.add(&Value::Null);
    }
    is_list |= ends > 1;
    if is_list {
        gathered.insert(IndexKeys::SEVERAL);
    }
    if gathered.full {
        let keys = vec![IndexKeys::OVERFLOW.to_vec()];
        return IndexKeys { keys, is_list, overflow: true };
    }
    IndexKeys { keys: gathered.keys, is_list, overflow: false }
}

/// Keys, sorted, each once.
struct Gathered {
    keys: Vec<Vec<u8>>,
    scratch: Vec<u8>,
    /// There are more than fit.
    full: bool,
}

impl Gathered {
    /// Adds the key of a value; whether there was room for it.
    fn add(&mut self, value: &Value) -> bool {
        let mut key = core::mem::take(&mut self.scratch);
        key.clear();
        encoding::append(value, &mut key);
        self.insert(&key);
        self.scratch = key;
        !self.full
    }

    fn insert(&mut self, key: &[u8]) {
        if let Err(at) = self.keys.binary_search_by(|known| known.as_slice().cmp(key)) {
            if self.keys.len() < INDEX_KEYS {
                self.keys.insert(at, key.to_vec());
            } else {
                self.full = true;
            }
        }
    }
}

#[cfg(test)]
mod tests;
