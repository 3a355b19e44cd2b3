//! The same as the commands print it, for scripts: names in snake case, and `null` for what there is not.

use serde_json::{Map, Value};
use taiinet_identity::PeerId;
use taiinet_mesh::{Blacklisted, Status, Time};

use super::{Listed, picture};

/// Where there is nothing to say, pages get no field and scripts a `null`.
const OF_LINK: [&str; 2] = ["round_trip_ms", "archive"];
const OF_SIGNALLER: [&str; 3] = ["peer", "failure", "clock_ahead_ms"];
const OF_BLACKLISTED: [&str; 3] = ["until", "misbehaviour", "text"];
const OF_STATUS: [&str; 2] = ["problem", "advice"];

/// The status of a peer, and what is wrong with it.
pub fn status(peer: PeerId, network: &str, status: &Status, now: Time) -> Value {
    let picture = serde_json::to_value(picture(peer, network, status, now)).unwrap_or_default();
    let Value::Object(mut picture) = renamed(picture) else { return Value::Null };
    each(&mut picture, "links", |link| with_nulls(link, &OF_LINK));
    each(&mut picture, "signallers", |signaller| {
        if let Some(peer) = signaller.remove("signaller") {
            signaller.insert("peer".to_owned(), peer);
        }
        with_nulls(signaller, &OF_SIGNALLER);
    });
    each(&mut picture, "blacklist", |listed| with_nulls(listed, &OF_BLACKLISTED));
    with_nulls(&mut picture, &OF_STATUS);
    picture.into()
}

/// One that is blacklisted.
pub fn blacklisted(listed: &Blacklisted) -> Value {
    let listed = serde_json::to_value(Listed::from(listed)).unwrap_or_default();
    let Value::Object(mut listed) = renamed(listed) else { return Value::Null };
    with_nulls(&mut listed, &OF_BLACKLISTED);
    listed.into()
}

fn each(of: &mut Map<String, Value>, name: &str, change: impl Fn(&mut Map<String, Value>)) {
    let items = of.get_mut(name).and_then(Value::as_array_mut);
    items.into_iter().flatten().filter_map(Value::as_object_mut).for_each(change);
}

fn with_nulls(of: &mut Map<String, Value>, names: &[&str]) {
    for name in names {
        of.entry(*name).or_insert(Value::Null);
    }
}

/// The names of fields in snake case. Reasons, which begin with a capital letter, are no names of fields.
fn renamed(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(renamed).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            fields.map(|(name, value)| (snake(&name), renamed(value))).collect()
        }
        other => other,
    }
}

fn snake(name: &str) -> String {
    if name.starts_with(|first: char| first.is_ascii_uppercase()) {
        return name.to_owned();
    }
    let mut snake = String::with_capacity(name.len() + 2);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}
