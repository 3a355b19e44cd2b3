//! Documents for some: sealed on the caller's thread, to whom the core knows.

use std::{collections::BTreeSet, fmt, time::Duration};

use getrandom::SysRng;
use rand_core::UnwrapErr;
use taiinet_document::{Content, Map, Sealed};
use taiinet_identity::Recipient;
use taiinet_mesh::{Audience, PublishError};
use tokio::{
    sync::oneshot,
    task::spawn_blocking,
    time::{Instant, sleep},
};

use crate::{Error, PublishOptions, TaiiNet, net::Control};

/// How often it is looked whether somebody to seal to has been heard of.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Sealing to more than so many takes milliseconds: not on a thread of the runtime.
const AT_ONCE: usize = 16;

/// Who could read a document on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Privacy {
    /// Everyone in the network.
    Open,
    /// Its recipients, and whoever gets hold of the identity key of one of them later.
    Sealed,
    /// Its recipients; and nobody any more once the subscription has ended.
    ForwardSecret,
}

impl Privacy {
    pub(crate) const fn of(recipient: Option<Recipient>) -> Self {
        match recipient {
            None => Self::Open,
            Some(recipient) if recipient.is_forward_secret() => Self::ForwardSecret,
            Some(_) => Self::Sealed,
        }
    }

    /// `open`, `sealed` or `forward-secret`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Sealed => "sealed",
            Self::ForwardSecret => "forward-secret",
        }
    }
}

impl fmt::Display for Privacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Seals what is not for everyone.
pub(crate) async fn seal(
    net: &TaiiNet,
    content: Map,
    options: &PublishOptions,
) -> Result<Content, Error> {
    if options.to == Audience::Everyone {
        return Ok(Content::Open(content));
    }
    let recipients: Vec<_> = recipients(net, &content, options).await?.into_iter().collect();
    let (author, network, public) = (net.peer_id(), net.network().clone(), options.public.clone());
    let count = recipients.len();
    let seal = move || {
        let rng = &mut UnwrapErr(SysRng);
        Sealed::seal(content, &public, &recipients, author, &network, rng)
    };
    let sealed = if count > AT_ONCE {
        spawn_blocking(seal).await.map_err(|_| Error::Closed)?
    } else {
        seal()
    };
    Ok(Content::Sealed(sealed?))
}

/// To whom; waits for a first one if none is known.
async fn recipients(
    net: &TaiiNet,
    content: &Map,
    options: &PublishOptions,
) -> Result<BTreeSet<Recipient>, Error> {
    let deadline = Instant::now() + options.wait;
    loop {
        let (tell, told) = oneshot::channel();
        let to = taiinet_mesh::PublishOptions {
            audience: options.to.clone(),
            key: options.key.clone(),
            ..Default::default()
        };
        net.control(Control::Recipients { content: content.clone(), to, tell });
        return match told.await.map_err(|_| Error::Closed)? {
            Ok(recipients) => Ok(recipients),
            Err(PublishError::NoRecipient) if Instant::now() < deadline => {
                sleep(LOOK_EVERY).await;
                continue;
            }
            Err(PublishError::Seal(error)) => Err(error.into()),
            Err(_) => Err(Error::NoRecipient),
        };
    }
}
