//! Scenarios: thousands of peers, what they want and publish, what befalls them, and what is measured.
//!
//! A scenario is a file of TOML ([`Scenario::read`]); `crates/sim/README.md` shows one and says what each key means.
//! [`run()`] plays it and gives [`Figures`], which [`Figures::broken`] holds against the file's bounds; [`plan()`] writes
//! down who wants and publishes what, for a mesh that is not simulated.

mod agenda;
mod figures;
mod file;
mod hostile;
mod interest;
mod measure;
mod network;
mod newcomers;
mod plan;
mod quantile;
mod run;
mod sections;
mod values;
mod wrong;

pub use figures::{Bound, Check, Figure, Figures, Second, Series};
pub use file::{Changes, Scenario, ScenarioError};
pub use plan::{Plan, Planned, plan};
pub use run::{Moment, run};
pub use sections::{Attack, Deed, Fault, Interest, Publishers};
