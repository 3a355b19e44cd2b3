//! Folders for networks, one each.

use std::path::{Path, PathBuf};

use taiinet::Network;

/// The folder of a network's files. Names of networks may hold anything but control characters: what is no
/// letter, digit, `-` or `_` of ASCII is written as its bytes, `%2f`.
pub(crate) fn of_network(parent: &Path, network: &Network) -> PathBuf {
    let mut name = String::new();
    for byte in network.as_str().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(byte.into()),
            _ => name += &format!("%{byte:02x}"),
        }
    }
    parent.join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A network's name comes from a file, but nobody wants it to lead out of the folder.
    #[test]
    fn each_network_has_a_folder_of_its_own_inside() {
        let state = Path::new("/state");
        for (name, expected) in [
            ("tweets", "tweets"),
            ("a-b_C9", "a-b_C9"),
            ("..", "%2e%2e"),
            ("a/b", "a%2fb"),
            ("a%2fb", "a%252fb"),
            ("Küche", "K%c3%bcche"),
        ] {
            let network = name.parse().expect("a name");
            assert_eq!(of_network(state, &network), state.join(expected));
        }
    }
}
