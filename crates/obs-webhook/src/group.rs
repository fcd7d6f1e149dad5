//! The records of a batch that go to one address, into the bodies of requests.

use std::cell::Cell;

use obs_core::{Call, Mapped, Records, Refused, Timestamp, encode_within};

use crate::body::is_type;
use crate::plan::{Maker, Plan, scope};
use crate::record::{self, Entry};
use crate::template::Renderer;
use crate::values;
use crate::wire::Request;

/// How many renderings of one batch may use up their steps or bytes.
///
/// As many as halving needs for the largest batch whose template takes a few hundred steps for each record.
const MOST_COSTLY: usize = 64;

/// How many renderings of a batch have used up what one may.
#[derive(Debug, Default)]
pub(crate) struct Budget(Cell<usize>);

/// The records of a batch that have one address.
pub(crate) struct Group<'a, T> {
    pub(crate) plan: &'a Plan,
    /// Which of the exporter's destinations.
    pub(crate) route: usize,
    pub(crate) target: String,
    pub(crate) all: &'a [&'a T],
    /// As [`record::twins`] has them; empty where requests have no ids.
    pub(crate) twins: &'a [usize],
    pub(crate) records: &'a Records<T>,
    pub(crate) budget: &'a Budget,
}

impl<T: Entry> Group<'_, T> {
    /// Packs what stands for each record into bodies, in order.
    pub(crate) fn pack(
        &self,
        positions: &[usize],
        mut piece: impl FnMut(&T) -> Result<Vec<u8>, String>,
        mapped: &mut Mapped<Request>,
    ) {
        let frame = self.plan.bodies.frame(T::SIGNAL);
        let most = self.plan.bytes.saturating_sub(frame.len());
        let (mut pieces, mut carried, mut len) = (Vec::new(), Vec::new(), 0);
        for at in positions.iter().copied() {
            let made = match encode_within(at, self.all[at], most, &mut piece) {
                Ok(made) => made,
                Err(refused) => {
                    mapped.refused.push(refused);
                    continue;
                }
            };
            let with = len + frame.gap() + made.len();
            if !carried.is_empty() && (with > most || carried.len() >= self.plan.items) {
                let body = frame.around(&std::mem::take(&mut pieces));
                mapped.calls.push(self.call(std::mem::take(&mut carried), body, None));
                len = made.len();
            } else {
                len = if carried.is_empty() { made.len() } else { with };
            }
            carried.push(at);
            pieces.push(made);
        }
        if !carried.is_empty() {
            mapped.calls.push(self.call(carried, frame.around(&pieces), None));
        }
    }

    /// Makes one body of all these records; of fewer, where one of them cannot be made or all are too much.
    ///
    /// Where all fail together each is tried alone, once; what fails of the good ones is halved.
    pub(crate) fn make(&self, positions: &[usize], mapped: &mut Mapped<Request>) {
        if self.make_whole(positions, mapped) {
            return;
        }
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for at in positions {
            match self.made(&[self.all[*at]], || self.records.select(&[*at])) {
                Ok(_) => good.push(*at),
                Err(reason) => bad.push(Refused::encode(*at, reason)),
            }
        }
        if bad.is_empty() {
            return self.make_halves(&good, mapped);
        }
        mapped.refused.append(&mut bad);
        if !self.make_whole(&good, mapped) {
            self.make_halves(&good, mapped);
        }
    }

    fn make_halves(&self, positions: &[usize], mapped: &mut Mapped<Request>) {
        let (first, second) = positions.split_at(positions.len() / 2);
        for half in [first, second] {
            if !self.make_whole(half, mapped) {
                self.make_halves(half, mapped);
            }
        }
    }

    /// Makes one body of these records, or of fewer where it is too large; `false` if several fail together.
    fn make_whole(&self, positions: &[usize], mapped: &mut Mapped<Request>) -> bool {
        if positions.is_empty() {
            return true;
        }
        let records: Vec<&T> = positions.iter().map(|at| self.all[*at]).collect();
        let whole = self.made(&records, || self.records.select(positions));
        match (whole, positions) {
            (Ok((body, content_type)), _) if body.len() <= self.plan.bytes => {
                mapped.calls.push(self.call(positions.to_vec(), body, content_type));
            }
            (Ok(_), [at]) => self.make_less(*at, mapped),
            (Ok(_), _) => self.make_halves(positions, mapped),
            (Err(reason), [at]) => mapped.refused.push(Refused::encode(*at, reason)),
            (Err(_), _) => return false,
        }
        true
    }

    /// Makes a body of one record whose texts are cut until it fits.
    fn make_less(&self, at: usize, mapped: &mut Mapped<Request>) {
        let mut content_type = None;
        let made = encode_within(at, self.all[at], self.plan.bytes, |record| {
            let made = self.made(&[record], || std::iter::once(record.clone()).collect());
            let (body, given) = made?;
            content_type = given;
            Ok(body)
        });
        match made {
            Ok(body) => mapped.calls.push(self.call(vec![at], body, content_type)),
            Err(refused) => mapped.refused.push(refused),
        }
    }

    /// What the template or function makes of records, and the type that it says it is.
    fn made(
        &self,
        records: &[&T],
        batch: impl FnOnce() -> Records<T>,
    ) -> Result<(Vec<u8>, Option<String>), String> {
        let (made, content_type) = match &self.plan.maker {
            Maker::Template(renderer) => (self.rendered(renderer, records, (self.plan.clock)())?, None),
            Maker::Function(function) => {
                let payload =
                    function(&T::batch(batch())).map_err(|cause| format!("the function failed: {cause}"))?;
                (payload.bytes, payload.content_type)
            }
            Maker::Nothing => return Err("nothing makes a body".to_owned()),
        };
        if content_type.as_deref().is_some_and(|given| !is_type(given)) {
            return Err(
                "the function's content_type is no value of a header; write one such as text/csv".to_owned()
            );
        }
        Ok((self.plan.bodies.made_body(made, content_type.as_deref())?, content_type))
    }

    /// What the template makes of records.
    ///
    /// # Errors
    /// Why it makes nothing: also where others of the batch have used up what it may cost.
    pub(crate) fn rendered(
        &self,
        renderer: &Renderer,
        records: &[&T],
        now: Timestamp,
    ) -> Result<Vec<u8>, String> {
        let costly = self.budget.0.get();
        if costly >= MOST_COSTLY {
            return Err(format!(
                "{MOST_COSTLY} renderings of its batch took more than `fuel` or `max_output` allows, and no other was \
                 begun; simplify the template, or set max_items to less"
            ));
        }
        let values = records.iter().map(|record| values::value(*record)).collect::<Result<Vec<_>, _>>()?;
        renderer.render(&values, &scope(records, now)).map_err(|unmade| {
            self.budget.0.set(costly + usize::from(unmade.is_costly));
            unmade.reason
        })
    }

    fn call(&self, records: Vec<usize>, body: Vec<u8>, content_type: Option<String>) -> Call<Request> {
        let id = self.plan.ids.then(|| {
            record::id(records.iter().map(|at| (self.all[*at], self.twins.get(*at).copied().unwrap_or(0))))
        });
        let (route, target) = (self.route, self.target.clone());
        Call { request: Request { route, target, body, content_type, id }, records }
    }
}
