//! What the desk has to do, and the sessions in which what is said to clients is sealed on its way out.

use std::collections::{BTreeMap, VecDeque};

use taiinet_mesh::session::{BadSession, Session};

use super::api::{ClientId, DeskOutput};

/// What waits to be polled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsealed {
    /// A frame for a client, still to be sealed in its session.
    Frame {
        /// The client that it goes to.
        client: ClientId,
        /// The frame, encoded.
        frame: Vec<u8>,
    },
    /// Anything else, as it is.
    Output(DeskOutput),
}

/// What waits to be polled, in order.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    queue: VecDeque<Unsealed>,
    /// From the answer that makes one to the end of the connection.
    sessions: BTreeMap<ClientId, Session>,
}

impl Outputs {
    /// Does this, as it is.
    pub(super) fn push_back(&mut self, output: DeskOutput) {
        self.queue.push_back(Unsealed::Output(output));
    }

    /// Says a frame in the client's session.
    pub(super) fn say(&mut self, client: ClientId, frame: Vec<u8>) {
        self.queue.push_back(Unsealed::Frame { client, frame });
    }

    /// What is said from now on is sealed in this session.
    pub(super) fn begin(&mut self, client: ClientId, session: Session) {
        self.sessions.insert(client, session);
    }

    /// Whether there is a session.
    pub(super) fn has_session(&self, client: ClientId) -> bool {
        self.sessions.contains_key(&client)
    }

    /// Opens what a client sent; none if there is no session.
    pub(super) fn open(
        &mut self,
        client: ClientId,
        sealed: &[u8],
    ) -> Option<Result<Vec<u8>, BadSession>> {
        self.sessions.get_mut(&client).map(|session| session.open(sealed))
    }

    /// The connection is gone.
    pub(super) fn forget(&mut self, client: ClientId) {
        self.sessions.remove(&client);
    }

    /// The next, unsealed.
    pub(super) fn poll_unsealed(&mut self) -> Option<Unsealed> {
        let output = self.queue.pop_front()?;
        if let Unsealed::Output(DeskOutput::Close { client, .. }) = output {
            self.forget(client);
        }
        Some(output)
    }

    /// Seals a frame in its client's session; none if the connection is gone.
    pub(super) fn seal(&mut self, client: ClientId, frame: &[u8]) -> Option<Vec<u8>> {
        self.sessions.get_mut(&client)?.seal(frame).ok()
    }

    pub(super) fn poll(&mut self) -> Option<DeskOutput> {
        loop {
            match self.poll_unsealed()? {
                Unsealed::Output(output) => return Some(output),
                Unsealed::Frame { client, frame } => {
                    if let Some(bytes) = self.seal(client, &frame) {
                        return Some(DeskOutput::Send { client, bytes });
                    }
                }
            }
        }
    }
}

#[cfg(test)]
impl Outputs {
    /// Whether nothing is left of any client.
    pub(super) fn is_bare(&self) -> bool {
        self.queue.is_empty() && self.sessions.is_empty()
    }
}
