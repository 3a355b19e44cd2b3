//! What the peers of a scenario want and publish, written down, so that a real mesh can do the same.

use serde::Serialize;

use super::{agenda::Action, file::Scenario, run::Play};

/// Who wants what, and what is published. Peers have numbers from 0 on; times are milliseconds from the begin.
/// Faults and attacks are not in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// What each peer subscribes to.
    pub queries: Vec<Vec<String>>,
    /// Who publishes, the busiest first.
    pub publishers: Vec<usize>,
    /// From when on what is published counts.
    pub begin_ms: u64,
    /// And until when.
    pub end_ms: u64,
    /// What is published, in order of time.
    pub documents: Vec<Planned>,
}

/// A document that is to be published.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Planned {
    /// When.
    pub at_ms: u64,
    /// By whom.
    pub by: usize,
    /// Who else wants it.
    pub wanted_by: Vec<usize>,
    /// What it says, in JSON, with a `number` that no other has.
    pub content: String,
}

/// Draws what [`run()`](super::run()) draws for the same scenario, but for who of the publishers publishes which document.
///
/// # Errors
/// If the documents cannot be drawn.
pub fn plan(scenario: &Scenario) -> Result<Plan, String> {
    let mut play = Play::new(scenario)?;
    let peers = scenario.peers.get();
    let mut plan = Plan {
        queries: (0..peers).map(|peer| play.wishes.queries(peer).collect()).collect(),
        publishers: play.publishers.clone(),
        begin_ms: 0,
        end_ms: 0,
        documents: Vec::new(),
    };
    while let Some((at_ms, action)) = play.agenda.pop() {
        match action {
            Action::Begin => plan.begin_ms = at_ms,
            Action::End => plan.end_ms = at_ms,
            Action::Publish(number) => {
                let by = play.publishers[play.busy.draw(&mut play.rng)];
                let draft = &play.drafts[number % play.drafts.len()];
                let wanted_by = draft.wanted_by.iter().map(|peer| *peer as usize);
                plan.documents.push(Planned {
                    at_ms,
                    by,
                    wanted_by: wanted_by.filter(|peer| *peer != by).collect(),
                    content: draft.content(number, scenario.publish.bytes.get()),
                });
            }
            _ => {}
        }
    }
    Ok(plan)
}
