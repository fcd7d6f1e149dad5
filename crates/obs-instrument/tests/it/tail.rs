//! Tail sampling: what is kept, what follows it, and that nothing is lost unsaid.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use obs_core::{
    Cost, ErrorInfo, Feedback, Level, LlmGeneration, Log, Metric, MetricValue, Record, Score, ScoreValue,
    Signal, Span, SpanId, SpanRecord, SpanRef, SpanType, Status, Target, Timestamp, TraceId,
};
use obs_instrument::{Observability, TailSampling};
use obs_pipeline::{Clock, Intake, filtered};
use obs_testkit::Scripted;
use proptest::prelude::*;
use proptest::sample::Index;
use uuid::Uuid;

use crate::collect::{Arrived, Bench};

const PATIENCE: Duration = Duration::from_secs(20);

/// An instance whose time stands still.
fn bench(tail: TailSampling) -> Bench {
    let (clock, _) = Clock::manual(Timestamp::from_nanos(1));
    Bench::with(|builder| builder.clock(clock).tail_sampling(tail))
}

/// Keeps nothing for its id alone.
fn rules() -> TailSampling {
    TailSampling::new().with_baseline(0.0)
}

fn trace(number: u64) -> TraceId {
    TraceId::new(u128::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 3 | 1).unwrap()
}

/// A span of so many milliseconds; the one with number 0 is its trace's root.
fn span(of: u64, number: u64, millis: u64) -> Span {
    let mut span = Span::new(trace(of), SpanId::new(number + 1).unwrap(), "s", Timestamp::from_nanos(1));
    span.end = Some(span.start.saturating_add(Duration::from_millis(millis)));
    span.parent_span_id = (number > 0).then(|| SpanId::new(1).unwrap());
    span
}

fn call(of: u64, number: u64, millis: u64, cost: f64) -> Span {
    let cost = Cost::usd(cost);
    let generation = LlmGeneration { cost: Some(Box::new(cost)), ..LlmGeneration::default() };
    Span { span_type: SpanType::LlmGeneration(generation), ..span(of, number, millis) }
}

fn failed(span: Span) -> Span {
    Span { status: Status::Error, error: Some(Box::new(ErrorInfo::message("no"))), ..span }
}

fn log(of: u64) -> Log {
    let mut log = Log::new(Timestamp::from_nanos(1), Level::Info, "m");
    log.span = Some(SpanRef { trace_id: trace(of), span_id: None });
    log
}

fn target(of: u64) -> Target {
    Target::Trace { trace_id: trace(of), root_span_id: None }
}

fn score(of: u64, value: f64) -> Score {
    Score::new(Uuid::from_u128(1), Timestamp::from_nanos(1), target(of), "good", value)
}

fn thumbs(of: u64, up: bool) -> Feedback {
    Feedback::new(Uuid::from_u128(1), Timestamp::from_nanos(1), target(of), "thumbs", up)
}

fn intake(bench: &Bench) -> Intake {
    bench.obs.pipeline().intake()
}

/// How many spans of each trace arrived.
fn kept(arrived: &Arrived) -> BTreeMap<TraceId, usize> {
    let mut kept = BTreeMap::new();
    arrived.spans.iter().for_each(|span| *kept.entry(span.trace_id).or_default() += 1);
    kept
}

#[test]
fn failed_slow_costly_and_badly_scored_traces_are_kept_and_no_others() {
    let tail = rules()
        .with_slow(Duration::from_millis(100))
        .with_slow_model_call(Duration::from_millis(50))
        .with_cost(1.0)
        .with_score_below("good", 0.5);
    let bench = bench(tail);
    let intake = intake(&bench);
    let traces: [(u64, Vec<Span>); 8] = [
        (0, vec![span(0, 1, 5), failed(span(0, 2, 5)), span(0, 0, 10)]),
        (1, vec![span(1, 1, 5), span(1, 0, 101)]),
        (2, vec![call(2, 1, 51, 0.1), span(2, 0, 60)]),
        (3, vec![call(3, 1, 5, 0.6), call(3, 2, 5, 0.6), span(3, 0, 10)]),
        (4, vec![span(4, 1, 5), span(4, 0, 10)]),
        (5, vec![span(5, 1, 5), span(5, 0, 10)]),
        (6, vec![call(6, 1, 50, 0.5), call(6, 2, 50, 0.5), span(6, 0, 100)]),
        (7, vec![span(7, 1, 500), span(7, 0, 10)]),
    ];
    intake.score(score(6, 0.5));
    for (_, spans) in traces.clone() {
        for span in spans {
            intake.span_ended(span);
        }
    }
    intake.score(score(4, 0.4));
    intake.feedback(thumbs(5, false));
    intake.feedback(thumbs(6, true));

    let arrived = bench.arrived();
    let expected = traces[..6].iter().map(|(of, spans)| (trace(*of), spans.len()));
    assert_eq!(kept(&arrived), expected.collect());
    assert_eq!((arrived.scores.len(), arrived.feedback.len()), (1, 1));
    let report = bench.obs.report();
    assert!(report.is_balanced());
    let filtered = |signal| report.intake.get(signal).filtered.get(filtered::TAIL_SAMPLED);
    assert_eq!(
        [Signal::Traces, Signal::Scores, Signal::Feedback].map(filtered),
        [5, 1, 1],
        "what is dropped is told: {report}"
    );
}

#[test]
fn a_call_inside_of_another_one_costs_once() {
    let bench = bench(rules().with_cost(1.5));
    let intake = intake(&bench);
    for (of, cost) in [(0, 1.0), (1, 1.6)] {
        intake.span_ended(call(of, 1, 5, cost));
        intake.span_ended(call(of, 0, 10, cost));
    }
    assert_eq!(kept(&bench.arrived()), BTreeMap::from([(trace(1), 2)]));
}

#[test]
fn what_speaks_of_a_trace_waits_with_it_and_follows_it_and_metrics_pass() {
    let bench = bench(rules());
    let intake = intake(&bench);
    for of in 0..2 {
        intake.log(log(of));
        intake.score(score(of, 0.5));
        intake.feedback(thumbs(of, true));
        intake.span_ended(span(of, 1, 5));
    }
    intake.log(Log::new(Timestamp::from_nanos(1), Level::Info, "of no trace"));
    intake.metric(Metric::new(Timestamp::from_nanos(1), "calls", MetricValue::Add(1.0)));
    intake.span_ended(failed(span(1, 0, 5)));
    let arrived = bench.arrived();
    assert_eq!(kept(&arrived), BTreeMap::from([(trace(1), 2)]));
    assert_eq!((arrived.logs.len(), arrived.scores.len(), arrived.feedback.len()), (2, 1, 1));
    let calls = arrived.metrics.iter().filter(|metric| metric.name == "calls").count();
    assert_eq!(calls, 1, "a count over a part of the traces is wrong");
}

#[test]
fn what_comes_late_follows_the_decision() {
    let bench = bench(rules());
    let intake = intake(&bench);
    intake.span_ended(span(0, 0, 5));
    intake.span_ended(failed(span(1, 0, 5)));
    assert_eq!(kept(&bench.arrived()), BTreeMap::from([(trace(1), 1)]));
    for of in 0..2 {
        intake.span_ended(failed(span(of, 7, 5)));
        intake.log(log(of));
        intake.score(score(of, 1.0));
    }
    let arrived = bench.arrived();
    assert_eq!(kept(&arrived), BTreeMap::from([(trace(1), 2)]), "no trace is split");
    assert_eq!((arrived.logs.len(), arrived.scores.len()), (1, 1));
}

#[test]
fn what_speaks_of_a_trace_that_is_elsewhere_passes() {
    let bench = bench(rules());
    let intake = intake(&bench);
    intake.log(log(1));
    intake.score(score(2, 0.5));
    let arrived = bench.arrived();
    assert_eq!((arrived.logs.len(), arrived.scores.len()), (1, 1));
}

#[test]
fn no_log_goes_out_of_a_trace_that_is_dropped_afterwards() {
    let bench = bench(rules());
    let intake = intake(&bench);
    intake.log(log(1));
    assert_eq!(bench.arrived().logs.len(), 1, "nothing stays behind a flush");
    intake.span_ended(span(1, 0, 5));
    assert_eq!(kept(&bench.arrived()), BTreeMap::from([(trace(1), 1)]));
}

#[test]
fn law_1_accounting_that_a_span_began_decides_nothing() {
    let descriptor = Scripted::DESCRIPTOR.with_started();
    let exporter = Scripted::builder([]).with_descriptor(descriptor).shared();
    let (clock, _) = Clock::manual(Timestamp::from_nanos(1));
    let builder = Observability::builder("test").to(Arc::clone(&exporter)).clock(clock);
    let obs = builder.tail_sampling(rules()).build().unwrap();
    let intake = obs.pipeline().intake();
    (1..3).for_each(|of| intake.span_started(span(of, 0, 0)));
    intake.log(log(2));
    assert!(obs.flush(PATIENCE).complete);
    intake.span_ended(failed(span(1, 0, 5)));
    intake.span_ended(span(2, 0, 5));
    let report = obs.flush(PATIENCE);
    assert!(report.complete && report.is_balanced(), "{report}");
    let is_end = |record: &Record| matches!(record, Record::Span(record) if record.ended().is_some());
    assert_eq!(exporter.records().iter().filter(|record| is_end(record)).count(), 2);
    let started = report.intake.get(Signal::Traces).filtered.get(filtered::TAIL_SAMPLED);
    assert_eq!((started, exporter.delivered(Signal::Traces)), (1, 3), "{report}");
}

#[test]
fn the_first_span_under_another_process_is_taken_for_the_root() {
    let bench = bench(rules().with_slow(Duration::from_millis(100)));
    let intake = intake(&bench);
    intake.span_ended(Span { remote_parent: true, ..span(1, 1, 101) });
    intake.span_ended(Span { remote_parent: false, ..span(2, 1, 101) });
    assert_eq!(kept(&bench.arrived()), BTreeMap::from([(trace(1), 1)]));
}

#[test]
fn a_rule_of_ones_own_sees_the_whole_trace_and_keeps_it_if_it_panics() {
    let bench = bench(rules().with_keep(|trace| {
        let logs = trace.logs().len();
        assert_ne!(logs, 3, "this rule cannot count to three");
        logs == 2 && trace.spans().count() == 2 && trace.root().is_some_and(Span::is_root)
    }));
    let intake = intake(&bench);
    for logs in 1..=3 {
        (0..logs).for_each(|_| intake.log(log(logs)));
        intake.span_ended(span(logs, 1, 5));
        intake.span_ended(span(logs, 0, 5));
    }
    assert_eq!(kept(&bench.arrived()), BTreeMap::from([(trace(2), 2), (trace(3), 2)]));
}

#[test]
fn a_trace_that_waits_is_pending_and_is_decided_as_time_passes() {
    let (clock, hand) = Clock::manual(Timestamp::from_nanos(1));
    let bench = Bench::with(|builder| builder.clock(clock).tail_sampling(rules()));
    intake(&bench).span_ended(span(1, 0, 5));
    let terms = || bench.obs.report().intake.get(Signal::Traces).clone();
    assert_eq!((terms().pending, terms().filtered.total()), (1, 0));
    let patience = Clock::system();
    while terms().pending > 0 {
        assert!(patience.monotonic() < PATIENCE, "nobody flushes, and it waits for ever");
        hand.advance(Duration::from_millis(100));
        std::thread::yield_now();
    }
    assert_eq!(terms().filtered.get(filtered::TAIL_SAMPLED), 1);
}

#[test]
fn two_services_keep_the_same_traces_of_the_baseline() {
    let keep_some = || bench(rules().with_baseline(0.3));
    let (a, b) = (keep_some(), keep_some());
    for number in 0..400 {
        intake(&a).span_ended(span(number, 0, 5));
        intake(&b).span_ended(Span { remote_parent: true, ..span(number, 9, 5) });
    }
    let (a, b) = (kept(&a.arrived()), kept(&b.arrived()));
    assert_eq!(a, b);
    assert!((80..160).contains(&a.len()), "{} of 400", a.len());
}

#[test]
fn options_that_cannot_work_are_refused_with_the_reason() {
    for (tail, part) in [
        (rules().with_baseline(1.5), "between 0 and 1"),
        (rules().with_cost(f64::NAN), "finite"),
        (rules().with_max_traces(0), "max_traces"),
        (rules().with_score_below("", 1.0), "name"),
        (rules().with_score_above("good", f64::NAN), "no number"),
    ] {
        let error =
            Observability::builder("s").to(Scripted::new([])).tail_sampling(tail).build().unwrap_err();
        assert!(error.message().contains("tail_sampling") && error.message().contains(part), "{error}");
    }
    let unknown = serde_json::from_str::<TailSampling>(r#"{ "max_wiat": "3s" }"#).unwrap_err();
    assert!(unknown.to_string().contains("did you mean `max_wait`"), "{unknown}");
}

/// What is said of one span: its number, whether it failed, how long it took, and what it cost if it is a call of a model.
type Said = (u64, bool, u64, Option<f64>);

/// What is said of one trace.
#[derive(Debug, Clone)]
struct Told {
    spans: Vec<Said>,
    logs: usize,
    scores: Vec<f64>,
    liked: Option<bool>,
}

impl Told {
    fn records(&self, of: u64) -> Vec<Record> {
        let spans = self.spans.iter().map(|&(number, fails, millis, cost)| {
            let made = cost.map_or_else(|| span(of, number, millis), |cost| call(of, number, millis, cost));
            Record::Span(SpanRecord::Ended(if fails { failed(made) } else { made }))
        });
        let logs = (0..self.logs).map(|_| Record::Log(log(of)));
        let scores = self.scores.iter().map(|value| Record::Score(score(of, *value)));
        let liked = self.liked.map(|up| Record::Feedback(thumbs(of, up)));
        spans.chain(logs).chain(scores).chain(liked).collect()
    }
}

prop_compose! {
    fn told()(
        spans in prop::collection::vec((
            0u64..4,
            prop::bool::weighted(0.1),
            0u64..120,
            prop::option::weighted(0.3, 0.0f64..0.7),
        ), 1..6),
        logs in 0usize..3,
        scores in prop::collection::vec(0.3f64..1.0, 0..2),
        liked in prop::option::weighted(0.2, any::<bool>()),
    ) -> Told {
        Told { spans, logs, scores, liked }
    }
}

const SLOW: u64 = 110;
const SLOW_CALL: u64 = 100;
const COST: f64 = 0.9;
const GOOD: f64 = 0.5;
const SHARE: f64 = 0.2;

/// What the calls of a trace cost, each once: the root's own cost is that of the calls below it, said once more. As long as
/// the trace is not over, it may seem to be more.
fn cost(spans: &[Said], is_over: bool) -> f64 {
    let below = spans.iter().any(|(number, .., cost)| *number > 0 && cost.is_some());
    let counts = |number: u64| number > 0 || !below || !is_over;
    spans.iter().filter(|(number, ..)| counts(*number)).filter_map(|(.., cost)| *cost).sum()
}

/// Whether a rule holds for a trace, told by other words than the sampler's.
fn is_worth_keeping(of: u64, Told { spans, scores, liked, .. }: &Told, is_over: bool) -> bool {
    spans.iter().any(|(_, fails, ..)| *fails)
        || spans.iter().any(|(number, _, millis, _)| *number == 0 && *millis > SLOW)
        || spans.iter().any(|(_, _, millis, cost)| cost.is_some() && *millis > SLOW_CALL)
        || cost(spans, is_over) > COST
        || scores.iter().any(|value| *value < GOOD)
        || *liked == Some(false)
        || obs_core::Ratio::new(SHARE).unwrap().takes(trace(of))
}

/// How many logs and judgements of a trace arrived.
fn spoken_of(of: u64, arrived: &Arrived) -> usize {
    let is = |id: Option<TraceId>| id == Some(trace(of));
    arrived.logs.iter().filter(|log| is(log.span.map(|span| span.trace_id))).count()
        + arrived.scores.iter().filter(|score| is(score.target.trace_id())).count()
        + arrived.feedback.iter().filter(|given| is(given.target.trace_id())).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn law_1_accounting_no_trace_is_split_and_what_is_kept_is_worth_it(
        traces in prop::collection::vec(told(), 1..12),
        order in prop::collection::vec(any::<Index>(), 150),
        // Roomy and undisturbed, or with flushes in between, or with hardly any room.
        (flush_every, most) in prop_oneof![
            Just((0usize, (10_000usize, 64_000_000u64))),
            (2usize..20).prop_map(|every| (every, (10_000, 64_000_000))),
            (1usize..4, 1_000u64..9_000).prop_map(|(traces, bytes)| (0, (traces, bytes))),
        ],
    ) {
        let exact = flush_every == 0 && most.0 == 10_000;
        let bench = bench(TailSampling::new()
            .with_baseline(SHARE)
            .with_slow(Duration::from_millis(SLOW))
            .with_slow_model_call(Duration::from_millis(SLOW_CALL))
            .with_cost(COST)
            .with_score_below("good", GOOD)
            .with_max_traces(most.0)
            .with_max_bytes(most.1));
        let numbered = || traces.iter().enumerate().map(|(of, told)| (of as u64, told));
        let mut all: Vec<Record> = numbered().flat_map(|(of, told)| told.records(of)).collect();
        let (intake, total) = (intake(&bench), all.len());
        for (at, index) in order.iter().cycle().take(total).enumerate() {
            match all.swap_remove(index.index(all.len())) {
                Record::Span(record) => intake.span_ended(record.span().clone()),
                Record::Metric(metric) => intake.metric(metric),
                Record::Log(log) => intake.log(log),
                Record::Score(score) => intake.score(score),
                Record::Feedback(feedback) => intake.feedback(feedback),
            }
            if flush_every > 0 && at % flush_every == 0 {
                let report = bench.obs.flush(PATIENCE);
                prop_assert!(report.complete && report.is_balanced(), "{}", report);
            }
        }
        let all_arrived = bench.arrived();
        let report = bench.obs.report();
        prop_assert!(report.complete && report.is_balanced(), "{}", report);
        // Metrics are made of spans besides, and pass.
        let of_traces = report.intake.iter().filter(|(signal, _)| *signal != Signal::Metrics);
        let recorded: u64 = of_traces.map(|(_, terms)| terms.recorded).sum();
        prop_assert_eq!(recorded, total as u64);
        for (signal, terms) in report.intake.iter() {
            let settled = terms.sealed + terms.filtered.get(filtered::TAIL_SAMPLED);
            prop_assert_eq!(terms.recorded, settled, "{}: {}", signal, report);
        }
        let kept = kept(&all_arrived);
        for (of, told) in numbered() {
            let count = told.spans.len();
            let arrived = kept.get(&trace(of)).copied().unwrap_or_default();
            prop_assert!(arrived == 0 || arrived == count, "trace {} is split: {} of {}", of, arrived, count);
            let (worth, spoken) = (is_worth_keeping(of, told, exact), spoken_of(of, &all_arrived));
            prop_assert!(worth || arrived == 0 || spoken > 0, "trace {} is kept for nothing", of);
            prop_assert!(arrived > 0 || spoken == 0, "trace {} is gone and {} speak of it", of, spoken);
            prop_assert!(!exact || worth == (arrived > 0), "trace {} is worth keeping and gone", of);
        }
        if exact {
            let (mut logs, mut scores, mut liked) = (0, 0, 0);
            for (_, told) in numbered().filter(|(of, told)| is_worth_keeping(*of, told, true)) {
                logs += told.logs;
                scores += told.scores.len();
                liked += usize::from(told.liked.is_some());
            }
            let arrived = all_arrived;
            let followed = (arrived.logs.len(), arrived.scores.len(), arrived.feedback.len());
            prop_assert_eq!(followed, (logs, scores, liked));
        }
    }
}

#[test]
fn values_in_words_are_beyond_no_limit() {
    let bench = bench(rules().with_score_below("good", 0.5));
    let intake = intake(&bench);
    intake.span_ended(span(1, 0, 5));
    let mut said = score(1, 0.0);
    said.value = ScoreValue::category("bad");
    intake.score(said);
    assert!(bench.arrived().spans.is_empty());
}
