//! Values as bytes whose plain order is the order of the values. The table is in [`crate::sort`].

use taiinet_document::Value;

use crate::limits::SORT_VALUE_BYTES;

/// Ends a text, a list or a map: less than whatever could follow there.
const END: u8 = 0x00;
/// An empty list that stands for its elements when documents are sorted.
const NO_ELEMENT: u8 = 0x08;
const NULL: u8 = 0x10;
pub(crate) const NUMBER: u8 = 0x20;
pub(crate) const STRING: u8 = 0x30;
pub(crate) const MAP: u8 = 0x40;
pub(crate) const LIST: u8 = 0x50;
pub(crate) const BYTES: u8 = 0x60;
pub(crate) const BOOL: u8 = 0x70;
/// Of a document that has several values at the path. Greater than any value.
pub(crate) const SEVERAL: u8 = 0xf0;
/// Of a document that has more values at the path than are kept. The greatest.
pub(crate) const OVERFLOW: u8 = 0xf8;

/// From here on floats lie further apart than integers do.
const SPARSE: f64 = 9_007_199_254_740_992.0;
/// How many bits of an integer a float can hold.
const MANTISSA_BITS: u32 = 53;

/// The tag of a value's type bracket ([`crate::order::bracket`]).
pub(crate) const fn tag(value: &Value) -> u8 {
    match value {
        Value::Null => NULL,
        Value::Int(_) | Value::Float(_) => NUMBER,
        Value::String(_) => STRING,
        Value::Map(_) => MAP,
        Value::List(_) => LIST,
        Value::Bytes(_) => BYTES,
        Value::Bool(_) => BOOL,
    }
}

/// Appends the encoding of a value up to [`SORT_VALUE_BYTES`]; whether some of it was cut off.
pub(crate) fn append(value: &Value, out: &mut Vec<u8>) -> bool {
    let most = out.len() + SORT_VALUE_BYTES;
    let mut writer = Writer { out, most, cut: false };
    writer.value(value);
    writer.cut
}

/// Appends what a list without elements sorts by.
pub(crate) fn append_no_element(out: &mut Vec<u8>) {
    out.push(NO_ELEMENT);
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    /// The length of `out` that it stops at.
    most: usize,
    cut: bool,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value) {
        self.bytes(&[tag(value)]);
        self.after_tag(value);
    }

    /// Each level writes a byte at least, so the recursion ends with the room.
    fn after_tag(&mut self, value: &Value) {
        if self.cut {
            return;
        }
        match value {
            Value::Null => {}
            Value::Bool(value) => self.bytes(&[u8::from(*value)]),
            Value::Int(int) => {
                let used = u64::BITS - int.unsigned_abs().leading_zeros();
                let spare = used.saturating_sub(MANTISSA_BITS);
                // Rounded down, also if negative.
                let below = (*int >> spare) << spare;
                self.number(below as f64, (*int - below) as u16);
            }
            Value::Float(float) => self.number(*float, 0),
            Value::String(text) => self.text(text),
            Value::Bytes(bytes) => {
                self.bytes(&(bytes.len() as u64).to_be_bytes());
                self.bytes(bytes);
            }
            Value::List(list) => {
                for element in list {
                    if self.cut {
                        return;
                    }
                    self.value(element);
                }
                self.bytes(&[END]);
            }
            Value::Map(map) => {
                for (name, value) in map {
                    if self.cut {
                        return;
                    }
                    self.bytes(&[tag(value)]);
                    self.text(name);
                    self.after_tag(value);
                }
                self.bytes(&[END]);
            }
        }
    }

    /// The float, and how much greater than it an integer is that no float equals.
    fn number(&mut self, float: f64, above: u16) {
        self.bytes(&ordered(float).to_be_bytes());
        if float.abs() >= SPARSE {
            self.bytes(&above.to_be_bytes());
        }
    }

    /// UTF-8 has no byte 0xff, so that one can be added to each, and none is [`END`].
    fn text(&mut self, text: &str) {
        // What does not fit leaves no room for the end either, so the cut is seen there.
        let (fits, _) = self.split(text.as_bytes());
        self.out.extend(fits.iter().map(|byte| byte.wrapping_add(1)));
        self.bytes(&[END]);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let (fits, rest) = self.split(bytes);
        self.out.extend_from_slice(fits);
        self.cut |= rest;
    }

    /// What there is room for, and whether more is left.
    fn split<'b>(&self, bytes: &'b [u8]) -> (&'b [u8], bool) {
        match bytes.get(..self.most.saturating_sub(self.out.len())) {
            Some(fits) if fits.len() < bytes.len() => (fits, true),
            _ => (bytes, false),
        }
    }
}

/// The bits of a float, ordered like the floats. NaN, which no document holds, is the least.
fn ordered(float: f64) -> u64 {
    const SIGN: u64 = 1 << 63;
    if float.is_nan() {
        return 0;
    }
    // Of the two zeros the positive one.
    let bits = (float + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

#[cfg(test)]
mod tests;
