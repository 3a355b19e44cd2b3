//! Questions to STUN servers and their answers, without a socket or a clock: times count from the begin.

use std::{io, net::SocketAddr, time::Duration};

use rtc_stun::{
    message::{BINDING_REQUEST, BINDING_SUCCESS, Getter, Message, TransactionId},
    xoraddr::XorMappedAddress,
};

use super::answer::StunError;

/// How long an answer is waited for before the first repetition; each wait is twice as long as the one before
/// (RFC 8489, section 6.2.1: RTO).
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// How often a request is sent at most (there: Rc).
const REQUESTS: u32 = 7;
/// The wait after the last, in first waits (there: Rm).
const LAST_WAIT: u32 = 16;
/// How much longer than the first of them the others may take.
const STRAGGLERS: Duration = Duration::from_secs(4);

/// One request and what came of it.
struct Question {
    server: SocketAddr,
    request: Message,
    sent: u32,
    /// When it is sent again, or given up.
    due: Duration,
    outcome: Option<Result<SocketAddr, io::Error>>,
}

/// All that is asked from one socket.
pub(super) struct Inquiry {
    questions: Vec<Question>,
    end: Duration,
}

impl Inquiry {
    pub(super) const fn new(patience: Duration) -> Self {
        Self { questions: Vec::new(), end: patience }
    }

    /// Asks a server, once.
    pub(super) fn ask(&mut self, server: SocketAddr) -> io::Result<()> {
        if self.questions.iter().any(|question| question.server == server) {
            return Ok(());
        }
        let mut request = Message::new();
        let built = request.build(&[Box::<TransactionId>::default(), Box::new(BINDING_REQUEST)]);
        built.map_err(|error| io::Error::other(error.to_string()))?;
        let due = Duration::ZERO;
        self.questions.push(Question { server, request, sent: 0, due, outcome: None });
        Ok(())
    }

    /// What is to be sent now.
    pub(super) fn poll_transmit(&mut self, now: Duration) -> Option<(SocketAddr, Vec<u8>)> {
        let is_due = |one: &&mut Question| {
            one.outcome.is_none() && one.due <= now && one.sent < REQUESTS && now < self.end
        };
        let question = self.questions.iter_mut().find(is_due)?;
        question.sent += 1;
        let wait = match question.sent {
            REQUESTS => FIRST_WAIT * LAST_WAIT,
            sent => FIRST_WAIT * 2_u32.pow(sent - 1),
        };
        question.due = now + wait;
        Some((question.server, question.request.raw.clone()))
    }

    /// When there may be something to send again, or to give up; none when all is said.
    pub(super) fn poll_timeout(&self, now: Duration) -> Option<Duration> {
        let open = self.questions.iter().filter(|question| question.outcome.is_none());
        let due = open.map(|question| question.due.min(self.end));
        // What is due now was sent: nothing is left to send.
        due.filter(|due| *due > now).min()
    }

    /// A server could not be sent to.
    pub(super) fn failed(&mut self, server: SocketAddr, error: io::Error) {
        if let Some(question) = self.questions.iter_mut().find(|one| one.server == server) {
            question.outcome.get_or_insert(Err(error));
        }
    }

    /// A packet came: an answer, if it comes from whom it was asked of and is about the same transaction.
    pub(super) fn received(&mut self, from: SocketAddr, packet: &[u8], now: Duration) {
        let mut answer = Message::new();
        answer.raw = packet.to_vec();
        if answer.decode().is_err() || answer.typ != BINDING_SUCCESS {
            return;
        }
        let asked = |one: &&mut Question| {
            one.server == from && one.request.transaction_id == answer.transaction_id
        };
        let Some(question) = self.questions.iter_mut().find(asked) else { return };
        let mut seen = XorMappedAddress::default();
        if question.outcome.is_none() && seen.get_from(&answer).is_ok() {
            question.outcome = Some(Ok(SocketAddr::new(seen.ip, seen.port)));
            self.end = self.end.min(now + STRAGGLERS);
        }
    }

    /// What came of a question, when all is said.
    pub(super) fn outcome(&self, server: SocketAddr) -> Result<SocketAddr, StunError> {
        let question = self.questions.iter().find(|question| question.server == server);
        match question.and_then(|question| question.outcome.as_ref()) {
            Some(Ok(mapped)) => Ok(*mapped),
            Some(Err(error)) => Err(io::Error::new(error.kind(), error.to_string()).into()),
            None => Err(StunError::Silent),
        }
    }
}
