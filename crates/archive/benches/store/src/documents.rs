//! What is stored.

use taiinet_document::{Content, Document, Map, Timestamp, Value, VerifiedDocument};
use taiinet_identity::{Identity, Seed};

pub const COMMIT: usize = 1_000;
pub const START: u64 = 1_800_000_000_000;
pub const NOW: Timestamp = Timestamp::from_millis(START + 10_000_000_000);
pub const NETWORK: &str = "bench";
/// A word that one text in a thousand has.
pub const RARE: &str = "zebra";

/// A document, and what is indexed of it.
pub struct Made {
    pub document: VerifiedDocument,
    pub likes: i64,
    pub kind: String,
}

pub struct Maker {
    identities: Vec<Identity>,
    next: u64,
}

pub fn mix(number: u64) -> u64 {
    let mut x = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Maker {
    pub fn new() -> Self {
        let identities = (0..1_000_u64).map(|number| {
            let mut seed = [0; 32];
            seed[..8].copy_from_slice(&number.to_be_bytes());
            Identity::from_seed(&Seed::from_bytes(seed))
        });
        Self { identities: identities.collect(), next: 0 }
    }

    pub fn commit(&mut self, count: usize) -> Vec<Made> {
        (0..count).map(|_| self.make()).collect()
    }

    fn make(&mut self) -> Made {
        let dice = mix(self.next);
        let words = ["mesh", "peer", "archive", "signal", "query", "stream", "about", "because"];
        let mut text = String::new();
        for word in 0..10 + dice % 20 {
            text.push_str(words[(mix(dice ^ word) % 8) as usize]);
            text.push(' ');
        }
        if dice % 1_000 == 7 {
            text.push_str(RARE);
        }
        // The likes of few are many.
        let likes = ((1_000_000.0 / (1.0 + (dice >> 12) as f64 % 1_000_000.0)) * 10.0) as i64;
        let kind = format!("kind {}", (dice >> 40) % 100);
        let content = Map::from([
            ("type".to_owned(), Value::from(kind.as_str())),
            ("likes".to_owned(), Value::Int(likes)),
            ("text".to_owned(), Value::from(text)),
        ]);
        let document = Document {
            network: NETWORK.parse().expect("a name"),
            created_at: Timestamp::from_millis(START + self.next * 50 + dice % 400),
            nonce: dice as u32,
            expires_at: None,
            key: (dice % 10 == 0).then(|| format!("key {}", self.next).into()),
            next_key: None,
            content: Content::Open(content),
        };
        self.next += 1;
        let identity = &self.identities[(dice >> 50) as usize % 1_000];
        let document = VerifiedDocument::sign(identity, document).expect("signs");
        Made { document, likes, kind }
    }
}

pub fn wire(document: &VerifiedDocument) -> Vec<u8> {
    postcard::to_allocvec(document.signed()).expect("encodes")
}
