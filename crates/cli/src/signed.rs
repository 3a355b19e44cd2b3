//! Signed documents as lines of NDJSON, which `taiinet export` writes and `taiinet import` reads.
//!
//! `{"signed": "<base64 of the document on the wire>", …}`: all else is for people, and follows from it.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value, json};
use taiinet::{PeerId, Timestamp};
use taiinet_document::{Content, Deletion, Document, SignedDocument, to_json_line};
use taiinet_terminal as terminal;

use crate::key::writers_json;

/// Writes one, with the line's end.
pub(crate) fn write(text: &mut String, signed: &SignedDocument, document: &Document) {
    text.push_str("{\"signed\":\"");
    BASE64_STANDARD.encode_string(signed.to_wire(), text);
    text.push('"');
    let (name, fields) = match &document.content {
        Content::Open(fields) => (",\"data\":", Some(fields)),
        Content::Sealed(sealed) => (",\"public\":", Some(&sealed.public)),
        _ => ("", None),
    };
    if let Some(fields) = fields {
        text.push_str(name);
        // What was signed can be written.
        text.push_str(&terminal::json(&to_json_line(fields).unwrap_or_default()));
    }
    let about = about(signed, document).to_string();
    text.push(',');
    text.push_str(terminal::json(&about).get(1..).unwrap_or_default());
    text.push('\n');
}

/// All but the fields.
fn about(signed: &SignedDocument, document: &Document) -> serde_json::Value {
    let author = signed.author();
    let created_at = document.created_at.as_millis();
    let mut about =
        json!({ "author": author, "id": signed.id().to_string(), "created_at": created_at });
    if let Some(expires_at) = document.expires_at.map(Timestamp::as_millis) {
        about["expires_at"] = expires_at.into();
    }
    if let Some(key) = &document.key {
        about["key"] = key.name().into();
        let owner: PeerId = key.owner(author);
        if owner != author {
            about["owner"] = owner.to_string().into();
        }
        if let Some(writers) = key.writers() {
            about["writers"] = writers_json(writers);
        }
    }
    if let Content::Deleted(deletion) = &document.content {
        about["deleted"] = match deletion {
            Deletion::Key => true.into(),
            Deletion::Documents(ids) => ids.iter().map(ToString::to_string).collect(),
        };
    }
    about
}

/// What of a line says whether it is such a one.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    signed: Cow<'a, str>,
    author: Option<IgnoredAny>,
    id: Option<IgnoredAny>,
    created_at: Option<IgnoredAny>,
}

/// Reads one, **not yet checked**. None for a line that is none: its `signed` is no text, or stands among other
/// fields than those of an export.
pub(crate) fn read(line: &str) -> Option<Result<SignedDocument, String>> {
    // Most plain lines are told without being parsed.
    if !line.contains("\"signed\"") {
        return None;
    }
    let Line { signed, author, id, created_at } = serde_json::from_str(line).ok()?;
    let is_whole = author.is_some() && id.is_some() && created_at.is_some();
    let is_alone =
        || serde_json::from_str::<Map<String, Value>>(line).is_ok_and(|map| map.len() == 1);
    if !is_whole && !is_alone() {
        return None;
    }
    let wire = match BASE64_STANDARD.decode(signed.as_bytes()) {
        Ok(wire) => wire,
        Err(error) => return Some(Err(format!("\"signed\" is no base64: {error}"))),
    };
    Some(SignedDocument::from_wire(&wire).map_err(|error| format!("\"signed\": {error}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use taiinet::VerifiedDocument;
    use taiinet_document::Key;
    use taiinet_identity::{Identity, Seed};

    use super::*;
    use crate::testing::{EVIL, is_harmless};

    fn line(name: &str, text: &str, key: Option<String>) -> (SignedDocument, String) {
        let document = Document {
            network: "tests".parse().expect("a name"),
            created_at: Timestamp::from_millis(1),
            nonce: 0,
            expires_at: Some(Timestamp::from_millis(2)),
            key: key.map(Key::new),
            next_key: None,
            content: Content::Open([(name.to_owned(), text.into())].into()),
        };
        let identity = Identity::from_seed(&Seed::from_bytes([1; 32]));
        let document = VerifiedDocument::sign(&identity, document).expect("signs");
        let mut line = String::new();
        write(&mut line, document.signed(), &document);
        (document.signed().clone(), line)
    }

    #[test]
    fn what_others_wrote_is_shown_and_not_obeyed() {
        let (signed, line) = line(EVIL, EVIL, Some(EVIL.to_owned()));
        assert!(is_harmless(&line) && line.lines().count() == 1, "{line:?}");
        assert_eq!(read(&line), Some(Ok(signed)));
        let says: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!((&says["data"][EVIL], &says["key"]), (&EVIL.into(), &EVIL.into()));
    }

    proptest! {
        #[test]
        fn a_line_is_read_as_it_was_written(
            name in "[\\PC\"\\\\]{0,8}",
            text in any::<String>(),
            key in proptest::option::of("\\PC{0,20}"),
        ) {
            let (signed, line) = line(&name, &text, key);
            prop_assert_eq!(read(line.trim_end()), Some(Ok(signed.clone())));
            let is_one_line = line.ends_with("}\n") && line.lines().count() == 1;
            prop_assert!(is_one_line);
            // With the signature alone it is the same.
            let all: Map<String, Value> = serde_json::from_str(&line).expect("JSON");
            let alone = json!({ "signed": all["signed"] }).to_string();
            prop_assert_eq!(read(&alone), Some(Ok(signed)));
            // Beside something else it is somebody's field.
            let other = json!({ "signed": all["signed"], "by": "me" }).to_string();
            prop_assert_eq!(read(&other), None);
        }

        #[test]
        fn a_line_that_was_altered_is_none_or_wrong_or_another(
            at in any::<prop::sample::Index>(),
            byte in b' '..=b'~',
        ) {
            let (signed, line) = line("a", "b", None);
            let mut bytes = line.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let altered = String::from_utf8(bytes).expect("ASCII");
            if let Some(Ok(other)) = read(&altered) {
                let same = other == signed;
                let key = other.author().public_key();
                let verifies = key.is_ok_and(|key| other.verify(&key).is_ok());
                prop_assert!(same || !verifies);
            }
        }
    }
}
