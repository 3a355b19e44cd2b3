//! An end of a link and what tests wait for. The tests of `taiinet-webrtc` use it, too.

#![allow(dead_code, unreachable_pub, missing_docs)]

use std::time::Duration;

use taiinet_mesh::{Input, LinkFailure, LinkId, Negotiation};
use taiinet_websocket::{LinkInputs, Links, Transport};
use tokio::time::timeout;

/// Nothing here takes nearly so long, however busy the machine.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// One peer's links.
pub struct End {
    pub links: Links,
    pub inputs: LinkInputs,
}

impl End {
    pub fn over(transport: impl Transport) -> Self {
        let (links, inputs) = Links::new(transport);
        Self { links, inputs }
    }

    pub async fn next(&mut self) -> Input {
        timeout(DEADLINE, self.inputs.recv()).await.expect("in time").expect("an input")
    }

    /// The next message, past reports of what was sent.
    pub async fn message(&mut self) -> Vec<u8> {
        loop {
            match self.next().await {
                Input::Message { bytes, .. } => return bytes,
                Input::Sent { .. } | Input::Negotiation { .. } => {}
                other => panic!("no message but {other:?}"),
            }
        }
    }

    /// How the link went down; all before it is passed over.
    pub async fn down(&mut self, of: LinkId) -> LinkFailure {
        loop {
            if let Input::LinkDown { link, cause } = self.next().await
                && link == of
            {
                return cause;
            }
        }
    }

    pub async fn description(&mut self) -> String {
        match self.next().await {
            Input::Negotiation { part: Negotiation::Description(text), .. } => text,
            other => panic!("no description but {other:?}"),
        }
    }

    /// Reads until so many bytes were reported as sent.
    pub async fn sent(&mut self, mut bytes: usize) {
        while bytes > 0 {
            if let Input::Sent { bytes: more, .. } = self.next().await {
                bytes = bytes.checked_sub(more).expect("no more reported than was sent");
            }
        }
    }
}

pub const A: LinkId = LinkId::from_raw(1);
pub const B: LinkId = LinkId::from_raw(2);
