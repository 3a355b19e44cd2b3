//! Credentials for TURN servers (RFC 8656) that are good for a while.
//!
//! The convention that coturn calls `use-auth-secret` ("A REST API For Access To TURN Services",
//! draft-uberti-behave-turn-rest-00): the user's name is the moment at which it ends and a name, the
//! password is HMAC-SHA1 of that under a secret which the TURN server knows too.

use core::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use taiinet_identity::PeerId;
use taiinet_mesh::{Time, wire::IceServer};
use zeroize::Zeroizing;

use crate::limits;

/// TURN servers and the secret that they share with this signaller.
#[derive(Clone)]
pub struct Turn {
    urls: Vec<String>,
    secret: Zeroizing<Vec<u8>>,
}

impl Turn {
    /// Servers as `turn:HOST:PORT` or `turns:…`, and their secret.
    pub fn new(urls: Vec<String>, secret: impl Into<Vec<u8>>) -> Self {
        Self { urls, secret: Zeroizing::new(secret.into()) }
    }

    /// What a peer is told now.
    pub(super) fn servers(&self, peer: &PeerId, now: Time) -> Vec<IceServer> {
        let ends = now.after(limits::TURN_LIFE).as_millis() / 1000;
        let username = format!("{ends}:{}", peer.short());
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&self.secret) else { return Vec::new() };
        mac.update(username.as_bytes());
        let credential = STANDARD.encode(mac.finalize().into_bytes());
        let server = |url: &String| IceServer {
            url: url.clone(),
            username: username.clone(),
            credential: credential.clone(),
        };
        self.urls.iter().map(server).collect()
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Turn({:?}, secret)", self.urls)
    }
}

#[cfg(test)]
mod tests {
    use taiinet_identity::{Identity, Seed};

    use super::*;

    #[test]
    fn credentials_are_as_coturn_computes_them() {
        let peer = Identity::from_seed(&Seed::from_bytes([1; 32])).peer_id();
        let turn = Turn::new(vec!["turn:turn.example:3478".to_owned()], *b"north");
        let [server] = &turn.servers(&peer, Time::from_millis(1_800_000_000_999))[..] else {
            panic!("one server")
        };
        assert_eq!(server.username, format!("1800003600:{}", peer.short()));
        // printf %s NAME | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(server.credential, "ckjZtXYnB5eeV4lcW7vO7aMtvPE=");
        assert!(!format!("{turn:?}").contains("north"));
    }
}
