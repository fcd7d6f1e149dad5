//! What a destination is given.

use std::sync::Arc;
use std::time::Duration;

use obs_core::{
    AgentRun, Batch, Feedback, Level, Log, Metric, MetricValue, Ratio, Record, Records, Score, Signal,
    Signals, Span, SpanId, SpanRecord, SpanType, Status, Target, Timestamp, TraceId,
};
use obs_pipeline::{Gate, Matching, RecordRef, Route, Window};
use proptest::prelude::*;
use uuid::Uuid;

const MINUTE: Duration = Duration::from_mins(1);

fn trace(id: u64) -> TraceId {
    TraceId::new(u128::from(id.wrapping_mul(0x9e37_79b9_7f4a_7c15)) + 1).unwrap()
}

/// A root span of some milliseconds.
fn span(id: u64, millis: u64, failed: bool) -> Span {
    let mut span = Span::new(trace(id), SpanId::new(id + 1).unwrap(), "s", Timestamp::default());
    span.end = Some(Timestamp::from_nanos(millis * 1_000_000));
    span.status = if failed { Status::Error } else { Status::Unset };
    span
}

fn spans(spans: impl IntoIterator<Item = Span>) -> Batch {
    Batch::Traces(spans.into_iter().map(SpanRecord::Ended).collect())
}

fn metrics() -> Batch {
    Batch::Metrics(vec![Metric::new(Timestamp::default(), "calls", MetricValue::Add(1.0))].into())
}

fn logs(count: u64) -> Batch {
    Batch::Logs((0..count).map(|at| Log::new(Timestamp::from_nanos(at), Level::Info, "m")).collect())
}

fn slow() -> Route {
    let route = Route::new().with_description("High latency alerts");
    route.when_window(Window::over(MINUTE), |stats| stats.average > Duration::from_millis(100))
}

fn failing() -> Route {
    let route = Route::new().with_description("Error rate monitoring");
    route.when_window(Window::over(MINUTE), |stats| stats.error_rate > 0.05)
}

fn base() -> Route {
    Route::new().with_description("Base metrics collection").signals(Signals::NONE.with(Signal::Metrics))
}

/// How many records of a batch pass each gate, after all have seen it.
fn pass(gates: &mut [Gate], batch: &Batch, seconds: u64) -> Vec<usize> {
    let now = Duration::from_secs(seconds);
    let one = |gate: &mut Gate| {
        gate.observe(batch, now);
        let selected = gate.select(batch, now);
        assert_eq!(selected.batch.len() + selected.filtered + selected.panicked, batch.len());
        selected.batch.len()
    };
    gates.iter_mut().map(one).collect()
}

#[test]
fn slow_spans_go_to_datadog_failing_ones_to_new_relic_and_every_metric_to_prometheus() {
    let mut gates = [slow(), failing(), base()].map(|route| Gate::new(Some(route), vec![]));
    assert_eq!(pass(&mut gates, &spans((0..20).map(|id| span(id, 50, false))), 0), [0, 0, 0]);
    assert_eq!(pass(&mut gates, &metrics(), 1), [0, 0, 1]);

    let tips_the_average_over = spans((0..20).map(|id| span(id, 200, false)));
    assert_eq!(pass(&mut gates, &tips_the_average_over, 2), [20, 0, 0]);
    assert_eq!(pass(&mut gates, &metrics(), 3), [1, 0, 1]);

    let tips_the_error_rate_over = spans((0..4).map(|id| span(id, 100, id < 3)));
    assert_eq!(pass(&mut gates, &tips_the_error_rate_over, 4), [4, 4, 0]);
    assert_eq!(pass(&mut gates, &metrics(), 5), [1, 1, 1]);

    assert_eq!(
        pass(&mut gates, &metrics(), 61),
        [1, 1, 1],
        "the quick spans are forgotten, not the slow ones"
    );
    assert_eq!(pass(&mut gates, &metrics(), 70), [0, 0, 1], "all is forgotten");
    let batch = logs(1);
    assert_eq!(gates[0].select(&batch, Duration::from_secs(70)).reason, "route:High latency alerts");
}

#[test]
fn a_window_tells_count_rate_and_percentiles_of_all_spans_or_of_roots() {
    let child = Span { parent_span_id: SpanId::new(9), ..span(1, 1_000, false) };
    let mut batch = spans((0..99).map(|id| span(id, 10, false)).chain([child]));
    batch.append(Batch::Traces(vec![SpanRecord::Started(span(1, 1, true))].into())).unwrap();
    let expect = |window: Window, count: u64, p99: Duration| {
        let told = move |stats: &obs_pipeline::WindowStats| {
            assert_eq!(stats.count, count);
            assert!((stats.rate - count as f64 / 60.0).abs() < 1e-9);
            assert!(stats.p99.abs_diff(p99) < p99 / 32 && stats.p95 <= stats.p99);
            true
        };
        let mut gate = Gate::new(Some(Route::new().when_window(window, told)), vec![]);
        assert_eq!(pass(std::slice::from_mut(&mut gate), &batch, 0), [101]);
    };
    expect(Window::over(MINUTE), 100, Duration::from_millis(10));
    expect(Window::over(MINUTE).roots_only(), 99, Duration::from_millis(10));
}

#[test]
fn law_2_a_window_is_bounded_whatever_the_rate() {
    let grown = |seconds: u64, rate: u64| {
        allocation_counter::measure(|| {
            let mut gate = Gate::new(Some(slow()), vec![]);
            for second in 0..seconds {
                let batch = spans((0..rate).map(|id| span(id, (id * 7_919) % 100_000, false)));
                gate.observe(&batch, Duration::from_secs(second));
                drop(batch);
            }
            assert!(gate.select(&logs(1), Duration::from_secs(seconds - 1)).batch.len() == 1);
        })
    };
    let batch = allocation_counter::measure(|| drop(spans((0..100).map(|id| span(id, 1, false)))));
    let info = grown(600, 100);
    assert!(info.bytes_current == 0);
    assert!(info.bytes_max < batch.bytes_max + 128 * 1_024, "{info:?}");
}

#[test]
fn sampling_agrees_across_the_signals_of_a_trace() {
    let gate = Gate::new(Some(Route::new().sample(Ratio::new(0.3).unwrap())), vec![]);
    let passes = |batch: &Batch| gate.select(batch, Duration::ZERO).batch.len() == 1;
    let mut taken = 0;
    for id in 0..500 {
        let of = span(id, 1, false);
        let mut log = Log::new(Timestamp::default(), Level::Info, "m");
        log.span = Some(of.reference());
        let target = Target::Trace { trace_id: of.trace_id, root_span_id: None };
        let score = Score::new(Uuid::from_u128(1), Timestamp::default(), target.clone(), "quality", 1.0);
        let feedback = Feedback::new(Uuid::from_u128(1), Timestamp::default(), target, "thumbs", true);
        let all = [
            passes(&spans([of])),
            passes(&Batch::Logs(vec![log].into())),
            passes(&Batch::Scores(vec![score].into())),
            passes(&Batch::Feedback(vec![feedback].into())),
        ];
        assert!(all.iter().all(|one| *one == all[0]), "{all:?}");
        taken += usize::from(all[0]);
    }
    assert!((100..200).contains(&taken), "{taken}");
    assert!(passes(&metrics()) && passes(&logs(1)), "records without a trace pass");
}

#[test]
fn span_types_choose_spans_and_leave_other_signals_alone() {
    let route = Route::new().span_types(["agent_run", "tool_call"]).unwrap();
    let gate = Gate::new(Some(route), vec![]);
    let run = Span { span_type: SpanType::AgentRun(AgentRun::default()), ..span(1, 1, false) };
    let batch = spans([span(0, 1, false), run.clone(), span(2, 1, false)]);
    assert_eq!(gate.select(&batch, Duration::ZERO).batch, spans([run]));
    assert_eq!(gate.select(&logs(3), Duration::ZERO).batch.len(), 3);
    let error = Route::new().span_types(["agent_runs"]).unwrap_err();
    assert!(
        error.message().contains("route.span_types") && error.message().contains("did you mean `agent_run`")
    );
}

#[test]
fn law_3_a_predicate_that_panics_loses_its_record_and_nothing_else() {
    let panics_on_two = |record: RecordRef<'_>| match record {
        RecordRef::Log(log) => log.time.as_nanos() != 2 || panic!("two"),
        _ => true,
    };
    let gate = Gate::new(Some(Route::new().when(panics_on_two)), vec![]);
    let batch = logs(4);
    let selected = gate.select(&batch, Duration::ZERO);
    assert_eq!(
        (selected.batch.clone(), selected.filtered, selected.panicked),
        (batch.select(&[0, 1, 3]), 0, 1)
    );

    let next = Gate::new(None, vec![Route::new().when(panics_on_two)]);
    assert_eq!(
        next.select(&batch, Duration::ZERO).batch,
        batch.slice(2..3),
        "an earlier route did not take it"
    );

    let all = Route::new().when_window(Window::over(MINUTE), |_| panic!("window"));
    assert_eq!(Gate::new(Some(all), vec![]).select(&batch, Duration::ZERO).panicked, 4);
}

#[test]
fn law_7_what_passes_is_not_copied() {
    let batch = logs(4);
    let odd =
        Route::new().when(|record| matches!(record, RecordRef::Log(log) if log.time.as_nanos() % 2 == 1));
    for route in [Route::new(), odd] {
        let gate = Gate::new(Some(route), vec![]);
        let selected = gate.select(&batch, Duration::ZERO);
        let (Batch::Logs(given), Batch::Logs(passed)) = (&batch, &selected.batch) else { unreachable!() };
        assert!(segments(passed).all(|segment| segments(given).any(|known| Arc::ptr_eq(known, segment))));
    }
}

fn segments<T>(records: &Records<T>) -> impl Iterator<Item = &Arc<Vec<T>>> {
    records.segments().map(|(segment, _)| segment)
}

#[test]
fn matching_is_all_by_default_and_spelt_in_snake_case() {
    assert_eq!(Matching::default(), Matching::All);
    assert_eq!(serde_json::from_str::<Matching>("\"first\"").unwrap(), Matching::First);
}

/// Routes of every sort, by number.
fn route(number: u8) -> Route {
    match number % 7 {
        0 => slow(),
        1 => failing(),
        2 => base(),
        3 => Route::new().sample(Ratio::new(0.5).unwrap()),
        4 => Route::new().span_types(["generic", "embedding"]).unwrap(),
        5 => Route::new().when(|record| match record {
            RecordRef::Span(record) => record.span().name.len() % 2 == 0,
            RecordRef::Log(log) => log.level >= Level::Warn,
            _ => false,
        }),
        _ => Route::new().signals(Signals::NONE.with(Signal::Logs).with(Signal::Scores)),
    }
}

fn batches() -> impl Strategy<Value = Vec<Batch>> {
    let any_signal = prop::sample::select(Signal::ALL.to_vec());
    prop::collection::vec(any_signal.prop_flat_map(|signal| obs_testkit::arbitrary::batch(signal, 5)), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn first_match_is_a_partition(numbers in prop::collection::vec(any::<u8>(), 1..5), batches in batches()) {
        let routes: Vec<Route> = numbers.iter().map(|number| route(*number)).collect();
        let mut first: Vec<Gate> = (0..routes.len())
            .map(|at| Gate::new(Some(routes[at].clone()), routes[..at].to_vec()))
            .collect();
        let mut all: Vec<Gate> = routes.iter().map(|route| Gate::new(Some(route.clone()), vec![])).collect();
        for (second, batch) in batches.iter().enumerate() {
            let now = Duration::from_secs(second as u64 * 11);
            first.iter_mut().chain(&mut all).for_each(|gate| gate.observe(batch, now));
            for at in 0..batch.len() {
                let one = batch.slice(at..at + 1);
                let takes = |gates: &[Gate]| -> Vec<usize> {
                    let passes = |gate: &Gate| gate.select(&one, now).batch.len() == 1;
                    (0..gates.len()).filter(|at| passes(&gates[*at])).collect()
                };
                let wanted: Vec<usize> = takes(&all).into_iter().take(1).collect();
                prop_assert_eq!(takes(&first), wanted);
            }
        }
    }

    #[test]
    fn clones_of_a_route_agree_at_every_destination(number in any::<u8>(), batches in batches()) {
        let route = route(number);
        let mut gates = [Gate::new(Some(route.clone()), vec![]), Gate::new(Some(route), vec![])];
        for (second, batch) in batches.iter().enumerate() {
            let now = Duration::from_secs(second as u64 * 7);
            let [a, b] = &mut gates;
            a.observe(batch, now);
            b.observe(batch, now);
            let (a, b): (Vec<Record>, Vec<Record>) =
                (a.select(batch, now).batch.to_records(), b.select(batch, now).batch.to_records());
            prop_assert_eq!(format!("{a:?}"), format!("{b:?}"));
        }
    }
}
