//! Documents by number: each process makes the same.

use taiinet_document::{
    Content, Deletion, Document, DocumentId, DocumentIds, Map, Timestamp, Value, VerifiedDocument,
};
use taiinet_identity::{Identity, Seed};

const START: u64 = 1_800_000_000_000;
pub(crate) const NOW: Timestamp = Timestamp::from_millis(START + 1_000_000_000);

/// A number that looks random.
pub(crate) fn mix(number: u64) -> u64 {
    let mut x = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[derive(Default)]
pub(crate) struct Documents {
    next: u64,
    /// Of the last hundred, to be deleted.
    last: Vec<(u8, DocumentId)>,
}

impl Documents {
    pub(crate) fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.next();
        }
    }

    /// New ones, new versions of old ones, and deletions.
    pub(crate) fn next(&mut self) -> VerifiedDocument {
        let dice = mix(self.next);
        self.next += 1;
        let author = (dice % 5) as u8;
        let victims = self.last.iter().filter(|(by, _)| *by == author).map(|(_, id)| *id).take(3);
        let victims = DocumentIds::new(victims);
        let (key, content) = match (dice >> 8) % 10 {
            0 if let Ok(victims) = victims => {
                (None, Content::Deleted(Deletion::Documents(victims)))
            }
            1..4 => (Some(format!("key {}", (dice >> 16) % 40).into()), content(dice)),
            4 => {
                (Some(format!("key {}", (dice >> 16) % 40).into()), Content::Deleted(Deletion::Key))
            }
            _ => (None, content(dice)),
        };
        let document = Document {
            network: "test".parse().expect("a name"),
            created_at: Timestamp::from_millis(START + self.next * 100 + (dice >> 24) % 2_000),
            nonce: self.next as u32,
            expires_at: None,
            key,
            next_key: None,
            content,
        };
        let identity = Identity::from_seed(&Seed::from_bytes([author + 1; 32]));
        let document = VerifiedDocument::sign(&identity, document).expect("signs");
        self.last.push((author, document.id()));
        if self.last.len() > 100 {
            self.last.remove(0);
        }
        document
    }
}

fn content(dice: u64) -> Content {
    let tags = (0..(dice >> 32) % 4).map(|tag| Value::from(format!("tag {}", (dice >> tag) % 50)));
    Content::Open(Map::from([
        ("likes".to_owned(), Value::Int((dice >> 40) as i64 % 1_000)),
        ("tags".to_owned(), tags.collect()),
        ("text".to_owned(), Value::from("x".repeat((dice % 300) as usize))),
    ]))
}
