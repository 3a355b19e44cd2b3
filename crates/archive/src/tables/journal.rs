//! A row of the journal: the changes of one commit.
//!
//! For each: the table (1 byte), the length of the key as varint and the key, then 0 where the row goes away, or the
//! length of the value and 1 as varint, and the value.

use super::layer::Layer;
use crate::store::Table;

/// All but documents, which stand in their table already.
pub(super) fn encode(layer: &Layer) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(layer.bytes + layer.bytes / 4);
    for table in Table::ALL {
        for (key, value) in layer.of(table) {
            bytes.push(table as u8);
            varint(&mut bytes, key.len());
            bytes.extend_from_slice(key);
            match value {
                Some(value) => {
                    varint(&mut bytes, value.len() + 1);
                    bytes.extend_from_slice(value);
                }
                None => bytes.push(0),
            }
        }
    }
    bytes
}

/// None for bytes that are no such row.
pub(super) fn decode(mut bytes: &[u8]) -> Option<Layer> {
    let mut layer = Layer::default();
    while let Some((&table, rest)) = bytes.split_first() {
        bytes = rest;
        let table = *Table::ALL.get(usize::from(table))?;
        let key_len = read_varint(&mut bytes)?;
        let (key, rest) = bytes.split_at_checked(key_len)?;
        bytes = rest;
        let value = match read_varint(&mut bytes)? {
            0 => None,
            more => {
                let (value, rest) = bytes.split_at_checked(more - 1)?;
                bytes = rest;
                Some(value.to_vec())
            }
        };
        layer.put(table, key.to_vec(), value);
    }
    Some(layer)
}

fn varint(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn read_varint(bytes: &mut &[u8]) -> Option<usize> {
    let mut number = 0_usize;
    for shift in (0..=28).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}
