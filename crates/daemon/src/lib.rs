//! What TaiiNet's daemons, the signaller and the node, have in common: [`Manager`] tells the service manager how
//! they are, [`Exposition`] writes what Prometheus reads, [`resident`] looks at their memory.

mod exposition;
mod manager;
mod memory;

pub use exposition::Exposition;
pub use manager::Manager;
pub use memory::resident;
