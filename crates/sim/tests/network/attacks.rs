//! What hostile peers and signallers try, and what honest peers keep doing meanwhile.

mod documents;
mod frames;
mod promises;
mod relays;
mod reputation;
mod signals;
mod splices;
mod strangers;
mod trees;
