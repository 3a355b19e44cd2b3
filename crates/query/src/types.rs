//! The types of values, as `$type` names them.

use taiinet_document::Value;

/// A set of types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct TypeSet(u16);

const DOUBLE: u16 = 1;
const STRING: u16 = 1 << 1;
const OBJECT: u16 = 1 << 2;
const ARRAY: u16 = 1 << 3;
const BIN_DATA: u16 = 1 << 4;
const BOOL: u16 = 1 << 5;
const NULL: u16 = 1 << 6;
const INT: u16 = 1 << 7;
const NUMBER: u16 = DOUBLE | INT;
/// A type of MongoDB's that no value here has: asking for it is no error, and finds nothing.
const NONE: u16 = 0;

/// Each type with its name and its number in BSON. The first name of a type is the one that is
/// printed, `number` before its parts. There is one kind of integer, of 64 bits: `int` and `long`
/// both name it.
const TYPES: &[(&str, Option<i64>, u16)] = &[
    ("number", None, NUMBER),
    ("double", Some(1), DOUBLE),
    ("string", Some(2), STRING),
    ("object", Some(3), OBJECT),
    ("array", Some(4), ARRAY),
    ("binData", Some(5), BIN_DATA),
    ("bool", Some(8), BOOL),
    ("null", Some(10), NULL),
    ("int", Some(16), INT),
    ("long", Some(18), INT),
    ("minKey", Some(-1), NONE),
    ("undefined", Some(6), NONE),
    ("objectId", Some(7), NONE),
    ("date", Some(9), NONE),
    ("regex", Some(11), NONE),
    ("dbPointer", Some(12), NONE),
    ("javascript", Some(13), NONE),
    ("symbol", Some(14), NONE),
    ("javascriptWithScope", Some(15), NONE),
    ("timestamp", Some(17), NONE),
    ("decimal", Some(19), NONE),
    ("maxKey", Some(127), NONE),
];

impl TypeSet {
    /// The type of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        TYPES.iter().find(|(known, ..)| *known == name).map(|&(_, _, bits)| Self(bits))
    }

    /// The type of this number in BSON.
    pub(crate) fn numbered(number: i64) -> Option<Self> {
        TYPES.iter().find(|(_, known, _)| *known == Some(number)).map(|&(_, _, bits)| Self(bits))
    }

    /// Both together.
    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether no value is of these types.
    pub(crate) const fn is_empty(self) -> bool {
        self.0 == NONE
    }

    /// Whether a value is of one of these types.
    pub(crate) const fn contains(self, value: &Value) -> bool {
        let bit = match value {
            Value::Null => NULL,
            Value::Bool(_) => BOOL,
            Value::Int(_) => INT,
            Value::Float(_) => DOUBLE,
            Value::String(_) => STRING,
            Value::Bytes(_) => BIN_DATA,
            Value::List(_) => ARRAY,
            Value::Map(_) => OBJECT,
        };
        self.0 & bit != 0
    }

    /// The fewest names for it.
    pub(crate) fn names(self) -> Vec<&'static str> {
        let mut left = self.0;
        let mut names = Vec::new();
        for &(name, _, bits) in TYPES {
            if bits != NONE && left & bits == bits {
                left &= !bits;
                names.push(name);
            }
        }
        names
    }
}
