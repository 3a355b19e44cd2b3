//! The mesh as a whole, on the virtual network: how it forms, what it delivers, what it survives.

mod archives;
mod attacks;
mod common;
mod crashes;
mod delivery;
mod determinism;
mod finds;
mod innocent;
mod keyed;
mod mesh;
mod newest;
mod partition;
mod pool;
mod private;
mod relayed;
mod roots;
mod routes;
mod signallers;
mod sleep;
mod trees;
mod versions;
