//! Encoding that cannot fail half-way: what is signed and sent is whole, or nothing is.

use serde::Serialize;

/// Encodes a value of about `bytes` bytes as postcard.
///
/// # Panics
/// If `T` implements `Serialize` in a way that postcard has no form for: a sequence of unknown length,
/// or an error of its own. Memory takes whatever is written, so that is a fault of the type and not of
/// the value: no input leads to it, and the tests encode each type that is signed or sent. An empty
/// encoding in its place would be signed and sent as if it were the value.
pub fn encode_sized<T: Serialize>(value: &T, bytes: usize) -> Vec<u8> {
    match postcard::to_extend(value, Vec::with_capacity(bytes)) {
        Ok(encoded) => encoded,
        Err(error) => panic!("{} has no encoding: {error}", core::any::type_name::<T>()),
    }
}

/// As [`encode_sized`], for a value of any size.
///
/// # Panics
/// As [`encode_sized`].
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    encode_sized(value, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_encoded_is() {
        assert_eq!(encode(&(7_u8, "a")), [7, 1, b'a']);
        assert_eq!(encode_sized(&300_u32, 5), [0xac, 0x02]);
    }

    /// Where a panic ends the process, as in WebAssembly, no test can tell of it.
    #[cfg(panic = "unwind")]
    #[test]
    fn what_cannot_be_encoded_is_never_taken_for_nothing() {
        use serde::{Serializer, ser::SerializeSeq};

        /// A type with a fault: how many elements it has is not known when they are written.
        struct Endless;

        impl Serialize for Endless {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_seq(None)?.end()
            }
        }

        let silent = std::panic::catch_unwind(|| encode(&Endless));
        assert!(silent.is_err(), "it would have been signed as {silent:?}");
    }
}
