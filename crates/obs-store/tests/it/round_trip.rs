//! What goes in comes out.

use std::collections::BTreeMap;

use obs_core::{Record, SpanRecord};
use obs_store::RecordQuery;
use proptest::prelude::*;

use crate::arbitrary;
use crate::support::{Place, export, feedback, score};

/// Everything: the limit is the test's.
const ALL: RecordQuery = RecordQuery { limit: 1_000, since: None, until: None, trace_id: None };

/// The canonical JSON of each record, sorted: numbers that are none are equal there.
fn lines(records: impl IntoIterator<Item = impl Into<Record>>) -> Vec<String> {
    let mut lines: Vec<String> = records
        .into_iter()
        .map(|record| {
            let mut line = Vec::new();
            record.into().write_line(&mut line).unwrap();
            String::from_utf8(line).unwrap()
        })
        .collect();
    lines.sort();
    lines
}

macro_rules! round_trip {
    ($name:ident, $one:expr, $list:ident) => {
        proptest! {
            #![proptest_config(ProptestConfig::with_cases(48))]
            #[test]
            fn $name(records in prop::collection::vec($one, 1..20)) {
                let place = Place::new();
                let exporter = place.exporter();
                export(&exporter, records.iter().cloned().map(Record::from));
                let read = exporter.reader().$list(&ALL).unwrap();
                prop_assert_eq!(lines(read), lines(records));
            }
        }
    };
}

round_trip!(logs_read_back_as_they_were, arbitrary::log(), list_logs);
round_trip!(metrics_read_back_as_they_were, arbitrary::metric(), list_metrics);
round_trip!(scores_read_back_as_they_were, arbitrary::score(), list_scores);
round_trip!(feedback_reads_back_as_it_was, arbitrary::feedback(), list_feedback);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn spans_read_back_as_they_were(spans in prop::collection::vec(arbitrary::span(), 1..20)) {
        let place = Place::new();
        let exporter = place.exporter();
        export(&exporter, spans.iter().cloned().map(|span| SpanRecord::Ended(span).into()));
        let mut traces: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for span in spans {
            traces.entry(span.trace_id).or_default().push(SpanRecord::Ended(span));
        }
        for (id, spans) in traces {
            let trace = exporter.reader().find_trace(id).unwrap().unwrap();
            prop_assert!(trace.spans.is_sorted_by_key(|span| span.start));
            prop_assert_eq!(lines(trace.spans.into_iter().map(SpanRecord::Ended)), lines(spans));
        }
    }
}

#[test]
fn a_retry_with_the_same_id_overwrites_itself() {
    let place = Place::new();
    let exporter = place.exporter();
    let (mut once, said) = (score(1, 7, 5), feedback(1, 7, 5));
    export(&exporter, [once.clone().into(), said.clone().into(), once.clone().into(), said.clone().into()]);
    once.comment = Some("changed".into());
    export(&exporter, [once.clone().into(), said.clone().into()]);
    assert_eq!(exporter.reader().list_scores(&ALL).unwrap(), [once]);
    assert_eq!(exporter.reader().list_feedback(&ALL).unwrap(), [said]);
}
