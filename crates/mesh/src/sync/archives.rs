//! Archives reconcile: ours gets from those of neighbours what it lacks, and theirs from ours.
//!
//! What is compared is in the archive, behind the driver; here stands who is asked when, what an answer may be, and
//! what questions of others cost. Each link has one question of ours at a time:
//!
//! ```text
//! Rests ──its time──▶ Ours ──▶ Theirs ──an answer that was asked for──▶ Ours … ──done──▶ Rests
//!                                └──────── none in time ───────────────────────────────────┘
//! ```
//!
//! Who is asked keeps nothing but that it was: [`limits::ANSWERED_AT_ONCE`] questions of a link at most.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use taiinet_document::{Inquiry, NoAnswer, ShortId, SignedDocument};

use crate::{
    LinkId, Misbehaviour, Output, Reconcile, Reconciled, Time,
    cx::Cx,
    documents::{Rules, admit},
    limits,
    links::AnswerPart,
    notice::NeighbourUp,
    wire::{Differs, Given, Inquire, SyncFrame, Want},
};

/// What goes on with the archives of neighbours.
#[derive(Debug, Default)]
pub(super) struct Archives {
    links: BTreeMap<LinkId, State>,
}

#[derive(Debug)]
struct State {
    pulling: Pulling,
    /// The number of our last question.
    request: u32,
    /// A question of ours that is not waited for any more: it may still be answered.
    late: Option<(u32, Awaited)>,
    /// How long it rests.
    rest: Duration,
    /// Questions of the neighbour that our archive has not answered yet.
    answering: usize,
}

/// How far our archive is with getting what it lacks.
#[derive(Debug)]
enum Pulling {
    /// The neighbour has no archive.
    Never,
    Rests(Time),
    /// It is our archive's turn.
    Ours,
    /// It is the neighbour's, until then.
    Theirs(Awaited, Time),
}

/// What a neighbour was asked.
#[derive(Debug)]
enum Awaited {
    Differences(Inquiry),
    /// These, and so many bytes.
    Documents(BTreeSet<ShortId>, usize),
}

impl Awaited {
    /// One of the documents comes.
    ///
    /// # Errors
    /// [`Misbehaviour::Unasked`]
    fn brings(&mut self, document: &SignedDocument) -> Result<(), Misbehaviour> {
        let Self::Documents(ids, bytes) = self else { return Err(Misbehaviour::Unasked) };
        let left = bytes.checked_sub(document.size()).ok_or(Misbehaviour::Unasked)?;
        if !ids.remove(&ShortId::from(&document.id())) {
            return Err(Misbehaviour::Unasked);
        }
        *bytes = left;
        Ok(())
    }
}

impl State {
    fn new(pulling: Pulling) -> Self {
        let (late, rest) = (None, limits::RECONCILE_EVERY);
        Self { pulling, request: 0, late, rest, answering: 0 }
    }

    /// What an answer of this number answers, and whether that is too late.
    fn awaited(&mut self, request: u32) -> Result<(&mut Awaited, bool), Misbehaviour> {
        match (&mut self.pulling, &mut self.late) {
            (Pulling::Theirs(awaited, _), _) if self.request == request => Ok((awaited, false)),
            (_, Some((late, awaited))) if *late == request => Ok((awaited, true)),
            _ => Err(Misbehaviour::Unasked),
        }
    }

    /// The answer to a question is whole. Whether it was waited for.
    fn answered(&mut self, late: bool) -> bool {
        if late {
            self.late = None;
        } else {
            self.pulling = Pulling::Ours;
        }
        !late
    }

    const fn deadline(&self) -> Option<Time> {
        match self.pulling {
            Pulling::Rests(until) | Pulling::Theirs(_, until) => Some(until),
            Pulling::Never | Pulling::Ours => None,
        }
    }
}

impl Archives {
    /// A neighbour's archive is asked at once.
    pub(super) fn neighbour_up(&mut self, cx: &mut Cx, up: &NeighbourUp) {
        if cx.config.archive.is_none() {
            return;
        }
        let has_one = cx.links.get(up.link).is_some_and(|link| link.is_archive);
        let pulling = if has_one { Pulling::Rests(cx.now) } else { Pulling::Never };
        self.links.insert(up.link, State::new(pulling));
        self.tick(cx);
    }

    pub(super) fn link_down(&mut self, cx: &mut Cx, link: LinkId) {
        if self.links.remove(&link).is_some() {
            cx.out.push_back(Output::Reconcile { link, what: Reconcile::End });
        }
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.links.values().filter_map(State::deadline).min()
    }

    pub(super) fn tick(&mut self, cx: &mut Cx) {
        let now = cx.now;
        for (&link, state) in &mut self.links {
            if state.deadline().is_none_or(|at| at > now) {
                continue;
            }
            let what = match core::mem::replace(&mut state.pulling, Pulling::Ours) {
                Pulling::Theirs(awaited, _) => {
                    state.late = Some((state.request, awaited));
                    state.pulling = Pulling::Rests(now.after(state.rest));
                    Reconcile::GiveUp
                }
                _ => {
                    let Some(neighbour) = cx.links.get(link) else { continue };
                    let since = neighbour.keeps().map(|kept| kept.since).unwrap_or_default();
                    Reconcile::Pull { peer: neighbour.peer, since, salt: cx.rng.nonce() }
                }
            };
            cx.out.push_back(Output::Reconcile { link, what });
        }
    }

    // ---- Questions of others ----

    pub(super) fn inquired(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        asked: Inquire,
    ) -> Result<(), Misbehaviour> {
        let Inquire { request, inquiry } = asked;
        if inquiry.count() > taiinet_document::limits::INQUIRY_PIECES {
            return Err(Misbehaviour::Oversize);
        }
        if !inquiry.is_ascending() {
            return Err(Misbehaviour::Undecodable);
        }
        if self.begins(link)? {
            let what = Reconcile::Compare { request, inquiry };
            cx.out.push_back(Output::Reconcile { link, what });
        } else {
            reply(cx, link, request, [AnswerPart::Differs(Box::default())]);
        }
        Ok(())
    }

    pub(super) fn wanted(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        asked: Want,
    ) -> Result<(), Misbehaviour> {
        let Want { request, ids } = asked;
        if ids.len() > limits::WANTED_IDS {
            return Err(Misbehaviour::Oversize);
        }
        if !ids.is_sorted_by(|one, next| one < next) {
            return Err(Misbehaviour::Undecodable);
        }
        if self.begins(link)? {
            let room = cx.links.get(link).map_or(0, |state| state.lanes.room_for_found());
            let what = Reconcile::Pick { request, ids, bytes: limits::GIVEN_BYTES.min(room) };
            cx.out.push_back(Output::Reconcile { link, what });
        } else {
            reply(cx, link, request, [AnswerPart::AllGiven]);
        }
        Ok(())
    }

    /// A neighbour asks; whether there is an archive to answer.
    fn begins(&mut self, link: LinkId) -> Result<bool, Misbehaviour> {
        let Some(state) = self.links.get_mut(&link) else { return Ok(false) };
        if state.answering >= limits::ANSWERED_AT_ONCE {
            return Err(Misbehaviour::ExchangeFlood);
        }
        state.answering += 1;
        Ok(true)
    }

    // ---- Answers of others ----

    pub(super) fn differs(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        answer: Differs,
    ) -> Result<(), Misbehaviour> {
        let Differs { request, differences } = answer;
        let state = self.links.get_mut(&link).ok_or(Misbehaviour::Unasked)?;
        let (awaited, late) = state.awaited(request)?;
        let Awaited::Differences(inquiry) = awaited else { return Err(Misbehaviour::Unasked) };
        differences.check(inquiry).map_err(|why| match why {
            NoAnswer::TooMuch => Misbehaviour::Oversize,
            NoAnswer::Wrong => Misbehaviour::Undecodable,
        })?;
        if state.answered(late) {
            cx.out.push_back(Output::Reconcile { link, what: Reconcile::Differs(differences) });
        }
        Ok(())
    }

    /// Documents come that were asked for: to check them is our own cost.
    pub(super) fn given(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        answer: Given,
    ) -> Result<(), Misbehaviour> {
        let Given { request, documents, last } = answer;
        let state = self.links.get_mut(&link).ok_or(Misbehaviour::Unasked)?;
        let (awaited, late) = state.awaited(request)?;
        if !matches!(awaited, Awaited::Documents(..)) || documents.is_empty() && !last {
            return Err(Misbehaviour::Unasked);
        }
        let result = documents.into_iter().try_for_each(|document| {
            awaited.brings(&document)?;
            let unwanted = cx.reputation.is_listed_by_hand(&document.author(), cx.now);
            if late || unwanted {
                return Ok(());
            }
            let what = Reconcile::Brings(admit(cx, document, Rules::Found)?);
            cx.out.push_back(Output::Reconcile { link, what });
            Ok(())
        });
        if last && state.answered(late) {
            cx.out.push_back(Output::Reconcile { link, what: Reconcile::Given });
        }
        result
    }

    // ---- Our archive ----

    /// Our archive asks a neighbour, or answers it.
    pub(super) fn step(&mut self, cx: &mut Cx, link: LinkId, step: Reconciled) {
        let Some(state) = self.links.get_mut(&link) else { return };
        let turn = matches!(state.pulling, Pulling::Ours);
        match step {
            Reconciled::Inquire(inquiry) if turn => {
                let request = state.ask(Awaited::Differences(inquiry.clone()), cx.now);
                cx.send(link, SyncFrame::Inquire(Inquire { request, inquiry }));
            }
            Reconciled::Want(ids) if turn => {
                let awaited = ids.iter().copied().collect();
                let request = state.ask(Awaited::Documents(awaited, limits::GIVEN_BYTES), cx.now);
                cx.send(link, SyncFrame::Want(Want { request, ids }));
            }
            Reconciled::Done { fruitless } if turn => {
                let longer = (state.rest * 2).min(limits::RECONCILE_RARELY);
                state.rest = if fruitless { longer } else { limits::RECONCILE_EVERY };
                state.pulling = Pulling::Rests(cx.now.after(state.rest));
            }
            Reconciled::Inquire(_) | Reconciled::Want(_) | Reconciled::Done { .. } => {}
            Reconciled::Differences { request, differences, looked } => {
                state.answering = state.answering.saturating_sub(1);
                reply(cx, link, request, [AnswerPart::Differs(Box::new(differences))]);
                cx.spend(link, looked.div_ceil(limits::LOOKS_PER_UNIT) as u64);
            }
            Reconciled::Documents { request, documents, looked } => {
                state.answering = state.answering.saturating_sub(1);
                let given = documents.into_iter().map(AnswerPart::Given);
                reply(cx, link, request, given.chain([AnswerPart::AllGiven]));
                cx.spend(link, (looked as u64).saturating_mul(limits::PICK_WORK));
            }
        }
    }
}

impl State {
    fn ask(&mut self, awaited: Awaited, now: Time) -> u32 {
        self.request = self.request.wrapping_add(1);
        self.pulling = Pulling::Theirs(awaited, now.after(limits::ANSWER_TIMEOUT));
        self.request
    }
}

/// Answers go behind all else. What has no room is left out: it is asked for again another time.
fn reply(cx: &mut Cx, link: LinkId, request: u32, parts: impl IntoIterator<Item = AnswerPart>) {
    let Some(state) = cx.links.get_mut(link) else { return };
    for part in parts {
        let _ = state.lanes.found(request, part);
    }
    cx.links.touch(link);
}

#[cfg(test)]
mod tests;
