//! How large an expression becomes when it is compiled.
//!
//! It is not measured but reckoned, since the answer must be the same on every target and in every
//! version: what a page may ask must be what a native peer answers. The numbers are about the bytes
//! that an automaton takes on a machine of 64 bits.

use super::tree::Node;

/// A state of the automaton.
const STATE: u64 = 32;
/// What each character, class, place and group weighs at least.
pub(super) const LEAST: usize = STATE as usize;
/// A range of characters.
const RANGE: u64 = 8;
/// An edge of a state that has several.
const EDGE: u64 = 4;
/// Beside the expression's own states.
const WHOLE: u64 = 112;

/// Of a whole expression; `u64::MAX` for what is beyond all bounds.
pub(super) fn of(expression: &Node) -> u64 {
    weight(expression).saturating_add(WHOLE)
}

fn weight(node: &Node) -> u64 {
    match node {
        Node::Set(set) => match set.ranges() {
            [(first, last)] if first == last => STATE,
            ranges => STATE + RANGE * ranges.len() as u64,
        },
        Node::Place(_) => STATE,
        // Nothing takes a state as well.
        Node::Sequence(nodes) => sum(nodes).max(STATE),
        Node::Alternatives(nodes) => {
            sum(nodes).saturating_add(2 * STATE + EDGE * nodes.len() as u64)
        }
        Node::Repeat { node, min, max } => {
            let (copies, joints) = match max {
                None => ((*min).max(1), 3 * STATE + 4 * EDGE),
                Some(max) => {
                    let optional = max.saturating_sub(*min);
                    (*max, optional.saturating_mul(STATE + 2 * EDGE).saturating_add(STATE))
                }
            };
            weight(node).saturating_mul(copies).saturating_add(joints)
        }
    }
}

fn sum(nodes: &[Node]) -> u64 {
    nodes.iter().map(weight).fold(0, u64::saturating_add)
}
