//! Usage and cost of hidden model calls, added up on the span that shows them.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use obs_core::{Cost, Span, SpanType, Str, Usage, rolled};

use crate::restated;

/// Something hidden was added, or is about to be.
const USED: u8 = 1;
/// The span has ended and takes no more.
const ENDED: u8 = 2;
/// A score or feedback on a hidden span names this one.
const JUDGED: u8 = 4;

/// Money is added up in units of 1e-15, so that a sum does not depend on the order of its parts.
const UNITS: f64 = 1e15;

/// What a span collects from hidden spans below it while it is open.
#[derive(Debug, Default)]
pub(crate) struct Rollup {
    state: AtomicU8,
    sums: Mutex<Sums>,
}

/// What hidden calls used.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Sums {
    input: Option<u64>,
    output: Option<u64>,
    costs: Vec<(Str, i128)>,
    partial: bool,
    estimated: bool,
}

impl Rollup {
    /// Adds to the sums; `false` if the span has ended.
    ///
    /// Whoever marks the sums as used before the end is marked knows that the end will look at them.
    pub(crate) fn add(&self, sums: &Sums) -> bool {
        if self.state.fetch_or(USED, Ordering::AcqRel) & ENDED != 0 {
            return false;
        }
        let mut own = self.lock();
        if self.state.load(Ordering::Acquire) & ENDED != 0 {
            return false;
        }
        own.merge(sums);
        true
    }

    /// Notes that a hidden span was judged, which the span is shown for.
    pub(crate) fn judge(&self) {
        self.state.fetch_or(JUDGED, Ordering::AcqRel);
    }

    /// Notes what a call directly below said of itself: bits of [`restated`].
    #[inline]
    pub(crate) fn said_below(&self, said: u8) {
        if self.state.load(Ordering::Relaxed) & said != said {
            self.state.fetch_or(said, Ordering::AcqRel);
        }
    }

    /// Takes no more from now on; tells the span what there was, and the caller what calls directly below have said.
    #[inline]
    pub(crate) fn close(&self, span: &mut Span) -> u8 {
        let state = self.state.fetch_or(ENDED, Ordering::AcqRel);
        span.judged |= state & JUDGED != 0;
        if state & USED != 0 {
            std::mem::take(&mut *self.lock()).tell(span);
            if state & restated::BOTH == 0 && matches!(span.span_type, SpanType::LlmGeneration(_)) {
                span.attributes.push(rolled::BESIDE, true);
            }
        }
        state & restated::BOTH
    }

    fn lock(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sums {
    /// What a span used, if it is a call of a model that says so, and not only what one below it has `said`.
    pub(crate) fn of(span: &Span, cost: Option<&Cost>, said: u8) -> Option<Self> {
        let (_, _, usage) = span.span_type.model()?;
        let mut sums = Self::default();
        if said & restated::TOKENS == 0 {
            sums.usage(usage);
        }
        if said & restated::COST == 0 {
            sums.cost(cost);
            sums.partial |= cost.is_none() && !usage.is_empty();
        }
        (sums != Self::default()).then_some(sums)
    }

    fn usage(&mut self, usage: &Usage) {
        self.input = plus(self.input, usage.input);
        self.output = plus(self.output, usage.output);
    }

    fn cost(&mut self, cost: Option<&Cost>) {
        let Some(Cost { total, currency, partial, estimated, .. }) = cost else { return };
        self.partial |= partial;
        self.estimated |= estimated;
        self.money(currency, (total * UNITS).round() as i128);
    }

    fn money(&mut self, currency: &Str, units: i128) {
        match self.costs.iter_mut().find(|(known, _)| known == currency) {
            Some((_, sum)) => *sum = sum.saturating_add(units),
            None => self.costs.push((currency.clone(), units)),
        }
    }

    fn merge(&mut self, other: &Self) {
        self.input = plus(self.input, other.input);
        self.output = plus(self.output, other.output);
        self.partial |= other.partial;
        self.estimated |= other.estimated;
        for (currency, units) in &other.costs {
            self.money(currency, *units);
        }
    }

    /// Tells them as attributes of the span that shows them.
    fn tell(&self, span: &mut Span) {
        let tokens = [(rolled::INPUT_TOKENS, self.input), (rolled::OUTPUT_TOKENS, self.output)];
        for (name, tokens) in tokens {
            if let Some(tokens) = tokens {
                span.attributes.push(name, i64::try_from(tokens).unwrap_or(i64::MAX));
            }
        }
        for (currency, units) in &self.costs {
            span.attributes.push(rolled::cost_name(currency), *units as f64 / UNITS);
        }
        let marks = [(rolled::COST_PARTIAL, self.partial), (rolled::COST_ESTIMATED, self.estimated)];
        for (name, _) in marks.into_iter().filter(|(_, holds)| *holds && !self.costs.is_empty()) {
            span.attributes.push(name, true);
        }
    }
}

fn plus(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.saturating_add(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use obs_core::{SpanId, Timestamp, TraceId, Value};

    use super::*;

    fn span() -> Span {
        Span::new(TraceId::new(1).unwrap(), SpanId::new(2).unwrap(), "s", Timestamp::default())
    }

    fn sums(input: u64, cost: f64) -> Sums {
        let mut sums = Sums::default();
        sums.usage(&Usage::new(input, 1));
        sums.cost(Some(&Cost::usd(cost)));
        sums
    }

    #[test]
    fn what_comes_after_the_end_is_refused_and_not_lost() {
        let rollup = Rollup::default();
        assert!(rollup.add(&sums(2, 0.1)));
        assert!(rollup.add(&sums(3, 0.2)));
        let mut shown = span();
        rollup.close(&mut shown);
        let told = |name| shown.attributes.get(name).and_then(Value::as_i64);
        assert_eq!((told(rolled::INPUT_TOKENS), told(rolled::OUTPUT_TOKENS)), (Some(5), Some(2)));
        assert!(!rollup.add(&sums(4, 0.3)), "the caller goes on to the next ancestor");
        let mut plain = span();
        Rollup::default().close(&mut plain);
        assert_eq!(plain, span());
    }

    #[test]
    fn money_does_not_depend_on_the_order() {
        let parts = [0.1, 0.2, 0.3, 1e-9, 7.25, 0.1];
        let sum = |parts: &mut dyn Iterator<Item = &f64>| {
            let mut all = Sums::default();
            parts.for_each(|part| all.merge(&sums(0, *part)));
            all.costs
        };
        assert_eq!(sum(&mut parts.iter()), sum(&mut parts.iter().rev()));
    }
}
