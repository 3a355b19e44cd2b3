//! Frames to bytes and back, and frames packed into messages.

use serde::{Serialize, de::DeserializeOwned};
use taiinet_identity::encoding;

use crate::{Misbehaviour, limits};

/// The longest varint in front of a frame.
pub(super) const LENGTH_BYTES: usize = 3;

/// Encodes one frame.
pub fn encode<T: Serialize>(frame: &T) -> Vec<u8> {
    encoding::encode(frame)
}

/// As [`encode`], for a frame of about so many bytes.
pub(crate) fn encode_sized<T: Serialize>(frame: &T, bytes: usize) -> Vec<u8> {
    encoding::encode_sized(frame, bytes)
}

/// Decodes one frame, which must fill `bytes`.
///
/// # Errors
/// [`Misbehaviour::Undecodable`], [`Misbehaviour::Oversize`].
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Misbehaviour> {
    if bytes.len() > limits::FRAME_BYTES {
        return Err(Misbehaviour::Oversize);
    }
    match postcard::take_from_bytes(bytes) {
        Ok((frame, [])) => Ok(frame),
        _ => Err(Misbehaviour::Undecodable),
    }
}

/// A message being filled with frames.
#[derive(Debug, Default)]
pub struct MessageWriter {
    bytes: Vec<u8>,
}

impl MessageWriter {
    /// For about so many bytes.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        // A few bytes for the lengths of the frames.
        Self { bytes: Vec::with_capacity((bytes + bytes / 16 + 16).min(limits::MESSAGE_BYTES)) }
    }

    /// Adds an encoded frame if there is room for it.
    pub fn push(&mut self, frame: &[u8]) -> bool {
        if self.bytes.len() + LENGTH_BYTES + frame.len() > limits::PACKED_BYTES {
            return false;
        }
        write_length(&mut self.bytes, frame.len());
        self.bytes.extend_from_slice(frame);
        true
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The finished message.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// A message of these frames, which must fit together.
pub fn message<T: Serialize>(frames: &[T]) -> Vec<u8> {
    let mut writer = MessageWriter::default();
    for frame in frames {
        writer.push(&encode(frame));
    }
    writer.finish()
}

fn write_length(to: &mut Vec<u8>, length: usize) {
    let mut rest = length;
    while rest >= 0x80 {
        to.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    to.push(rest as u8);
}

/// The encoded frames of a message, one by one; ends after the first fault.
#[derive(Debug)]
pub struct MessageReader<'a> {
    rest: &'a [u8],
}

impl<'a> MessageReader<'a> {
    /// Starts to read a message.
    ///
    /// # Errors
    /// [`Misbehaviour::Oversize`]; [`Misbehaviour::Undecodable`] if it is empty.
    pub fn new(message: &'a [u8]) -> Result<Self, Misbehaviour> {
        if message.len() > limits::MESSAGE_BYTES {
            return Err(Misbehaviour::Oversize);
        }
        if message.is_empty() {
            return Err(Misbehaviour::Undecodable);
        }
        Ok(Self { rest: message })
    }

    fn take(&mut self) -> Option<&'a [u8]> {
        let mut length = 0_usize;
        for index in 0..LENGTH_BYTES {
            let byte = *self.rest.get(index)?;
            length |= usize::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                let start = index + 1;
                let frame = self.rest.get(start..start.checked_add(length)?)?;
                self.rest = self.rest.get(start + length..)?;
                return Some(frame);
            }
        }
        None
    }
}

impl<'a> Iterator for MessageReader<'a> {
    type Item = Result<&'a [u8], Misbehaviour>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let frame = self.take();
        if frame.is_none() {
            self.rest = &[];
        }
        Some(frame.ok_or(Misbehaviour::Undecodable))
    }
}
