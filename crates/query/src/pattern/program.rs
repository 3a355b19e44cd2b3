//! Matching: Thompson's simulation of an automaton without memory of how it came to a state.
//!
//! Where only the answer counts, nothing else is needed: the states that a text can lead to are
//! walked all at once, each at most once for each character, so the time is at most proportional to
//! the text times the expression (K. Thompson, *Regular expression search algorithm*, 1968; the
//! instructions are those of R. Cox, *Regular Expression Matching: the Virtual Machine Approach*,
//! 2009).

use std::collections::BTreeMap;

use super::{
    set::Set,
    tree::{Node, Place},
};

/// A compiled expression.
#[derive(Debug, Clone)]
pub(super) struct Program {
    steps: Box<[Step]>,
    sets: Box<[Set]>,
}

/// An instruction, by numbers of others.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Takes a character of the set with this number, and goes to the next.
    Take(u32),
    /// Goes to the next where the place is of this kind.
    At(Place),
    /// Goes to the next and to this one.
    Fork(u32),
    /// Goes to this one.
    Jump(u32),
    /// The expression has found something.
    Found,
}

/// A place in a text.
struct Spot {
    before: Option<char>,
    after: Option<char>,
    /// Whether what comes after is the last character.
    after_is_last: bool,
}

impl Program {
    pub(super) fn new(node: &Node) -> Self {
        let mut compiler = Compiler { steps: Vec::new(), sets: BTreeMap::new() };
        compiler.node(node);
        compiler.push(Step::Found);
        let Compiler { steps, sets } = compiler;
        let mut sets: Vec<(u32, Set)> =
            sets.into_iter().map(|(set, number)| (number, set.clone())).collect();
        sets.sort_unstable();
        let sets = sets.into_iter().map(|(_, set)| set).collect();
        Self { steps: steps.into(), sets }
    }

    /// How many bytes its pieces on the heap have, and how many pieces there are.
    pub(super) fn heap(&self) -> (usize, usize) {
        let sets: usize = self.sets.iter().map(|set| size_of_val(set.ranges())).sum();
        let bytes = size_of_val(&*self.steps) + size_of_val(&*self.sets) + sets;
        (bytes, 2 + self.sets.len())
    }

    /// How many steps it has.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether it finds something in a text.
    pub(super) fn is_match(&self, text: &str) -> bool {
        // Each step once for each place: the last place that it was walked at.
        let mut walked = vec![0; self.steps.len()];
        // Steps that wait for a character, and those that were come to.
        let (mut waiting, mut reached) = (Vec::new(), Vec::new());
        let mut rest = text.chars();
        let mut before = None;
        for place in 1_usize.. {
            let after = rest.clone().next();
            let after_is_last = after.is_some_and(|c| c.len_utf8() == rest.as_str().len());
            let spot = Spot { before, after, after_is_last };
            // What is sought can begin at each place.
            reached.push(0);
            while let Some(number) = reached.pop() {
                if core::mem::replace(&mut walked[number], place) == place {
                    continue;
                }
                match self.steps[number] {
                    Step::Take(_) => waiting.push(number),
                    Step::At(kind) if spot.is(kind) => reached.push(number + 1),
                    Step::At(_) => {}
                    Step::Fork(other) => reached.extend([other as usize, number + 1]),
                    Step::Jump(other) => reached.push(other as usize),
                    Step::Found => return true,
                }
            }
            let Some(c) = rest.next() else { break };
            if waiting.is_empty() && matches!(self.steps[0], Step::At(Place::Start)) {
                break;
            }
            reached.extend(waiting.drain(..).filter_map(|number| match self.steps[number] {
                Step::Take(set) if self.sets[set as usize].contains(c) => Some(number + 1),
                _ => None,
            }));
            before = Some(c);
        }
        false
    }
}

impl Spot {
    fn is(&self, kind: Place) -> bool {
        let is_word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        let Self { before, after, after_is_last } = *self;
        match kind {
            Place::Start => before.is_none(),
            Place::End => after.is_none(),
            Place::EndOrLastNewline => after.is_none() || after == Some('\n') && after_is_last,
            Place::LineStart => before.is_none() || before == Some('\n') && after.is_some(),
            Place::LineEnd => after.is_none() || after == Some('\n'),
            Place::WordBoundary => is_word(before) != is_word(after),
            Place::NoWordBoundary => is_word(before) == is_word(after),
        }
    }
}

struct Compiler<'n> {
    steps: Vec<Step>,
    /// Each set once, with its number.
    sets: BTreeMap<&'n Set, u32>,
}

impl<'n> Compiler<'n> {
    fn node(&mut self, node: &'n Node) {
        match node {
            Node::Set(set) => {
                let next = number(self.sets.len());
                let number = *self.sets.entry(set).or_insert(next);
                self.push(Step::Take(number));
            }
            Node::Place(kind) => {
                self.push(Step::At(*kind));
            }
            Node::Sequence(nodes) => nodes.iter().for_each(|node| self.node(node)),
            Node::Alternatives(nodes) => self.alternatives(nodes),
            Node::Repeat { node, min, max } => self.repeat(node, *min, *max),
        }
    }

    fn alternatives(&mut self, nodes: &'n [Node]) {
        let mut jumps = Vec::new();
        for (at, node) in nodes.iter().enumerate() {
            if at + 1 == nodes.len() {
                self.node(node);
                break;
            }
            let fork = self.push(Step::Fork(0));
            self.node(node);
            jumps.push(self.push(Step::Jump(0)));
            self.steps[fork] = Step::Fork(number(self.steps.len()));
        }
        for jump in jumps {
            self.steps[jump] = Step::Jump(number(self.steps.len()));
        }
    }

    fn repeat(&mut self, node: &'n Node, min: u64, max: Option<u64>) {
        let mut last = self.steps.len();
        for _ in 0..min {
            last = self.steps.len();
            self.node(node);
        }
        let Some(max) = max else {
            if min > 0 {
                self.push(Step::Fork(number(last)));
            } else {
                let fork = self.push(Step::Fork(0));
                self.node(node);
                self.push(Step::Jump(number(fork)));
                self.steps[fork] = Step::Fork(number(self.steps.len()));
            }
            return;
        };
        let mut forks = Vec::new();
        for _ in min..max {
            forks.push(self.push(Step::Fork(0)));
            self.node(node);
        }
        for fork in forks {
            self.steps[fork] = Step::Fork(number(self.steps.len()));
        }
    }

    fn push(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }
}

/// A program's size is bounded by its weight, far below this.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
