//! How bytes are told from a map with the single name `$bytes`.

use base64::{Engine, engine::general_purpose};

use crate::{Map, Value, ValueError};

/// RFC 4648 section 4, with padding.
pub(super) use general_purpose::STANDARD as BASE64;

/// The name that marks bytes.
pub(super) const BYTES: &str = "$bytes";

/// Whether a map's single name would be taken for the mark of bytes, or for the escape of it.
pub(super) fn is_escaped(map: &Map) -> bool {
    map.len() == 1 && map.keys().all(|name| is_mark(name))
}

/// `$bytes`, `$$bytes`, …
fn is_mark(name: &str) -> bool {
    name.strip_suffix(BYTES).is_some_and(|dollars| dollars.bytes().all(|byte| byte == b'$'))
}

/// What a map with its names as in the text stands for.
pub(super) fn unescape(mut map: Map) -> Result<Value, ValueError> {
    if !is_escaped(&map) {
        return Ok(Value::Map(map));
    }
    match map.pop_first() {
        Some((name, Value::String(text))) if name == BYTES => {
            BASE64.decode(text).map(Value::Bytes).map_err(|_| ValueError::Base64)
        }
        Some((name, value)) if name != BYTES => {
            Ok(Value::Map([(name[1..].to_owned(), value)].into_iter().collect()))
        }
        _ => Err(ValueError::Base64),
    }
}
