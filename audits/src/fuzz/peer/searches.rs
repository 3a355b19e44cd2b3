//! What the peer looks for, and what its archive does.

use taiinet_mesh::{Answer, FindId, FindOptions, LinkId, Question, Reconcile, Reconciled, limits};
use taiinet_query::sort::{Place, Sort};

use super::{
    super::{
        bytes::Bytes,
        member::{Member, QUERIES, SORTS},
    },
    Outside,
};

impl Outside {
    /// It looks for something, or for more of it.
    pub(super) fn find(&mut self, bytes: &mut Bytes<'_>) {
        let limit = bytes.u16();
        let finds: Vec<FindId> = self.finds.keys().copied().collect();
        if bytes.bool()
            && let Some(find) = bytes.choose(&finds)
        {
            match bytes.below(4) {
                0 => self.peer.find_end(find),
                _ => drop(self.peer.find_more(find, limit, self.now)),
            }
            return;
        }
        let query = bytes.choose(&QUERIES).and_then(|query| query.parse().ok());
        let sort = bytes.choose(&SORTS).and_then(|sort| sort.parse().ok());
        let (Some(query), Some(sort)) = (query, sort) else { return };
        let sort: Sort = sort;
        let after = Place::from_bytes(&Member::cursor(bytes)).ok();
        let options =
            FindOptions { sort: sort.clone(), after: after.clone(), ..FindOptions::newest(limit) };
        if let Ok(find) = self.peer.find(query, options, self.now) {
            self.finds.insert(find, (sort, after));
        }
    }

    /// Its archive answers: with nothing, or one document, and says that there is more or that there is not.
    pub(super) fn answer(&mut self, link: LinkId, question: &Question, bytes: &mut Bytes<'_>) {
        let document = self.member.document(bytes, &self.network, self.now);
        let answer = Answer {
            documents: if bytes.bool() { vec![document] } else { Vec::new() },
            until: Place::from_bytes(&Member::cursor(bytes)).ok(),
            left_out: bytes.bool(),
            work: bytes.u32().into(),
        };
        self.peer.answer(link, question.request, answer, self.now);
    }

    /// Its archive goes on with that of a neighbour, or answers it; whatever it was told.
    pub(super) fn reconcile(&mut self, link: LinkId, what: &Reconcile, bytes: &mut Bytes<'_>) {
        let step = match what {
            Reconcile::Compare { request, inquiry } => {
                assert!(inquiry.is_ascending());
                let differences = self.member.differences(bytes, self.now);
                Reconciled::Differences {
                    request: *request,
                    differences,
                    looked: bytes.u16().into(),
                }
            }
            Reconcile::Pick { request, ids, bytes: most } => {
                assert!(ids.len() <= limits::WANTED_IDS && *most <= limits::GIVEN_BYTES);
                let document = self.member.document(bytes, &self.network, self.now);
                Reconciled::Documents {
                    request: *request,
                    documents: vec![document],
                    looked: ids.len(),
                }
            }
            _ => match bytes.below(4) {
                0 => Reconciled::Done { fruitless: bytes.bool() },
                1 => Reconciled::Want(self.member.short_ids(bytes)),
                _ => Reconciled::Inquire(self.member.inquiry(bytes, self.now)),
            },
        };
        self.peer.reconciled(link, step, self.now);
    }
}
