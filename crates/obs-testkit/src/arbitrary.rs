//! Arbitrary records for property tests with proptest.
//!
//! Every field of every type can take every kind of value: absent and present, empty, nasty and long strings, all times,
//! all numbers with the non-finite ones, documents of every form.
//! What no record can be is left out: keys of attributes and labels are distinct, and a path is one chain.

mod judgement;
mod metric;
mod shared;
mod span;
mod span_type;

use obs_core::{Batch, Record, Signal};
use proptest::collection::vec;
use proptest::prelude::*;

pub use judgement::{feedback, score, score_value, target};
pub use metric::metric;
pub use shared::{attributes, context, log, number, payload, resource, text, timestamp, value};
pub use span::{error_info, span, span_record};
pub use span_type::{span_type, usage};

/// A record of any signal.
pub fn record() -> impl Strategy<Value = Record> {
    prop_oneof![
        span_record().prop_map(Record::from).boxed(),
        metric().prop_map(Record::from).boxed(),
        log().prop_map(Record::from).boxed(),
        score().prop_map(Record::from).boxed(),
        feedback().prop_map(Record::from).boxed(),
    ]
}

/// A batch of a signal of up to so many records.
pub fn batch(signal: Signal, most: usize) -> BoxedStrategy<Batch> {
    let len = 0..=most;
    match signal {
        Signal::Traces => vec(span_record(), len).prop_map(|records| Batch::Traces(records.into())).boxed(),
        Signal::Metrics => vec(metric(), len).prop_map(|records| Batch::Metrics(records.into())).boxed(),
        Signal::Logs => vec(log(), len).prop_map(|records| Batch::Logs(records.into())).boxed(),
        Signal::Scores => vec(score(), len).prop_map(|records| Batch::Scores(records.into())).boxed(),
        Signal::Feedback => vec(feedback(), len).prop_map(|records| Batch::Feedback(records.into())).boxed(),
    }
}
