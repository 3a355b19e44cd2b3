//! What is sent as bytes of its own.

use core::{fmt, marker::PhantomData};

use serde::{Deserializer, de};

/// Reads bytes, from which something is made if they are valid. They are not copied, so their length is that of
/// what was received.
pub(super) fn read<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    what: &'static str,
    make: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<T, D::Error> {
    deserializer.deserialize_bytes(Reader { what, make, made: PhantomData })
}

struct Reader<M, T> {
    what: &'static str,
    make: M,
    made: PhantomData<T>,
}

impl<M: FnOnce(&[u8]) -> Option<T>, T> de::Visitor<'_> for Reader<M, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<T, E> {
        let unexpected = de::Unexpected::Bytes(bytes);
        (self.make)(bytes).ok_or_else(|| E::invalid_value(unexpected, &self.what))
    }
}
