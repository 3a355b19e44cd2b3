//! Frames to bytes and back; packing frames into messages, and cutting and joining large ones.
//!
//! Between peers a message is a sequence of `length (LEB128 varint) ‖ frame (postcard)`. Between a
//! peer and a signaller a message is one frame (postcard), with nothing before it.

mod encoding;
mod pieces;

pub(crate) use encoding::encode_sized;
pub use encoding::{MessageReader, MessageWriter, decode, encode, message};
pub use pieces::{Assembler, fragment, needs_fragments};

#[cfg(test)]
mod tests;
