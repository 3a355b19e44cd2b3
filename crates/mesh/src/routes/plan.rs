//! How documents spread in a network, and what is done with one.

use std::collections::BTreeMap;

use crate::{LinkId, wire::Way};

/// How documents spread in a network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Spreading {
    /// Each goes to all peers.
    #[default]
    Flood,
    /// Each goes where it is wanted.
    Route,
}

impl From<u8> for Spreading {
    fn from(number: u8) -> Self {
        if number == 1 { Self::Route } else { Self::Flood }
    }
}

impl From<Spreading> for u8 {
    fn from(spreading: Spreading) -> Self {
        match spreading {
            Spreading::Flood => 0,
            Spreading::Route => 1,
        }
    }
}

/// What is done with a document.
#[derive(Debug)]
pub(crate) enum Plan {
    /// It goes to all neighbours.
    Flood,
    /// It goes to these.
    Route(BTreeMap<LinkId, Step>),
}

/// What one neighbour gets of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The document.
    Push(Way),
    /// The word that it is here.
    Announce,
    /// The document, as it would flood: the neighbour knows no other way.
    Plain,
}
