//! What can run, but most likely not as it was meant.

use super::{
    Settings,
    advertised::{Advertised, is_loopback},
};

impl Settings {
    /// What others of a pool are told of where it is.
    pub(super) fn tells_others(&self) -> Advertised {
        if !self.is_in_pool() || self.public_url.is_some() {
            return Advertised::WhatIsRight;
        }
        let mut known = self.listen.iter().filter(|address| !address.ip().is_unspecified());
        match known.next() {
            None => Advertised::Nothing,
            Some(first) if is_loopback(first) && known.all(is_loopback) => Advertised::Loopback,
            Some(_) => Advertised::WhatIsRight,
        }
    }

    /// What can run, but most likely not as it was meant.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let nothing = (self.tells_others() == Advertised::Nothing).then(|| {
            "without --public-url the pool is not told where this signaller is: it dials others, none dials it, \
             and no peer learns of it"
                .to_owned()
        });
        let metrics = self.metrics.filter(|address| !is_loopback(address)).map(|address| {
            format!(
                "metrics: whoever reaches {address} can read them, since nobody is asked who they are; name an \
                 address of this host alone (--metrics 127.0.0.1:{}), or see to it that a firewall keeps \
                 others out",
                address.port()
            )
        });
        nothing.into_iter().chain(metrics).collect()
    }
}
