//! What a query occupies on the heap.

use std::collections::BTreeSet;

use taiinet_document::Value;

use crate::ast::{Clause, Field, Part, Test, Tree};

/// What the allocator adds to each piece, about.
const PIECE: usize = 16;
/// What an `Arc` adds.
const COUNTED: usize = 16;
/// About how many bytes a query's tree occupies, rather more than less.
pub(crate) fn of_query(clause: &Clause) -> usize {
    let mut heap = Heap::default();
    heap.tree(clause, &mut Heap::field);
    heap.bytes + size_of::<Clause>() + 4 * PIECE
}

#[derive(Default)]
struct Heap {
    bytes: usize,
    /// The paths that were counted: several tests share one.
    paths: BTreeSet<*const Part>,
}

impl Heap {
    fn piece(&mut self, bytes: usize) {
        self.bytes += bytes + PIECE;
    }

    /// What hangs on a tree, without its root.
    fn tree<L>(&mut self, tree: &Tree<L>, leaf: &mut impl FnMut(&mut Self, &L)) {
        match tree {
            Tree::Is(inner) | Tree::Not(inner) => leaf(self, inner),
            Tree::All(branches) | Tree::Any(branches) => {
                self.piece(branches.capacity() * size_of::<Tree<L>>());
                branches.iter().for_each(|branch| self.tree(branch, leaf));
            }
        }
    }

    fn field(&mut self, field: &Field) {
        let parts = field.path.parts();
        if self.paths.insert(parts.as_ptr()) {
            self.piece(size_of_val(parts) + COUNTED);
            self.piece(field.path.as_str().len() + COUNTED);
            parts.iter().for_each(|part| self.piece(part.name.len()));
        }
        self.test(&field.test);
    }

    fn test(&mut self, test: &Test) {
        match test {
            Test::Eq(literal) | Test::Compare(_, literal) | Test::Contains(literal) => {
                self.value(literal.value());
            }
            Test::In(literals) => {
                self.piece(literals.capacity() * size_of::<Value>());
                literals.iter().for_each(|literal| self.value(literal.value()));
            }
            Test::Regex(pattern) => {
                let (bytes, pieces) = pattern.heap();
                self.bytes += bytes + pieces * PIECE;
            }
            Test::ElemMatch(clause) => {
                self.piece(size_of::<Clause>());
                self.tree(clause, &mut Self::field);
            }
            Test::ElemOperators(tests) => {
                self.piece(size_of::<Tree<Test>>());
                self.tree(tests, &mut Self::test);
            }
            Test::Exists | Test::Type(_) | Test::Size(_) | Test::Mod { .. } => {}
        }
    }

    /// What hangs on a value.
    fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.piece(text.capacity()),
            Value::Bytes(bytes) => self.piece(bytes.len()),
            Value::List(list) => {
                self.piece(list.capacity() * size_of::<Value>());
                list.iter().for_each(|value| self.value(value));
            }
            Value::Map(map) => {
                // A node of the tree has room for eleven.
                let nodes = map.len() / 5 + 1;
                self.piece(nodes * 11 * (size_of::<String>() + size_of::<Value>()));
                for (name, value) in map {
                    self.piece(name.capacity());
                    self.value(value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {}
        }
    }
}
