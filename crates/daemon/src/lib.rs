//! What TaiiNet's daemons, the signaller and the node, have in common: [`Manager`] tells the service manager how
//! they are and [`Signals`] hears what it says, [`Exposition`] writes what Prometheus reads, [`Log`] is their
//! log, [`resident`] looks at their memory, and [`text`] is the form of their options.

mod exposition;
mod log;
mod manager;
mod memory;
mod signals;
pub mod text;

pub use exposition::Exposition;
pub use log::{Log, LogFormat, log_asked};
pub use manager::Manager;
pub use memory::resident;
pub use signals::{Signals, Told};
