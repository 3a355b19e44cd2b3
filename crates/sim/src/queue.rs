//! What is yet to happen, in order of time, then of insertion.

use std::{cmp::Reverse, collections::BinaryHeap};

use taiinet_mesh::{LinkFailure, LinkId};

use crate::{PeerIndex, SignallerIndex, channel::EndId};

/// What can happen to one end of a channel.
#[derive(Debug)]
pub(crate) enum Event {
    /// Its transport has made its description.
    Described(EndId),
    /// Its transport found a further candidate.
    Candidate(EndId),
    /// A WebSocket reaches the signaller.
    Reaches(EndId, SignallerIndex),
    /// The channel opens here.
    Opens(EndId),
    /// A message arrives.
    Arrives(EndId, Vec<u8>),
    /// A peer hears what nobody has sent over one of its links.
    Hears(PeerIndex, LinkId, Vec<u8>),
    /// So many bytes left.
    Sent(EndId, usize),
    /// The channel ends here.
    Ends(EndId, LinkFailure),
    /// A stalled channel is given up, unless it has been unstalled since.
    GivesUp(EndId, u64),
}

#[derive(Debug)]
struct Entry {
    at: u64,
    number: u64,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<Entry>>,
    number: u64,
}

impl Queue {
    pub(crate) fn push(&mut self, at: u64, event: Event) {
        self.number += 1;
        self.heap.push(Reverse(Entry { at, number: self.number, event }));
    }

    pub(crate) fn next_at(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }

    /// The next event that is due.
    pub(crate) fn pop(&mut self, now: u64) -> Option<Event> {
        if self.next_at()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry.event)
    }
}
