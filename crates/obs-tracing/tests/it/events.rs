use obs_core::{Level, Status, Value};
use obs_tracing::{CodeAttributes, Events};
use tracing::{debug, error, info, info_span, instrument, trace, warn};

use crate::collect::Bench;

#[test]
fn an_event_is_a_log_under_its_span() {
    let bench = Bench::new();
    let arrived = bench.run(|| {
        let who = "the cook";
        info_span!("kitchen").in_scope(|| warn!(dish = "soup", minutes = 4, "{who} is late"));
        info!("no span around");
        let other = info_span!("other");
        info!(parent: &other, "told of another");
        info!(parent: None, "told of none");
    });
    let log = arrived.log("the cook is late");
    assert_eq!((log.level, log.span), (Level::Warn, Some(arrived.span("kitchen").reference())));
    assert_eq!(log.attributes.get("dish"), Some(&Value::from("soup")));
    assert_eq!(log.attributes.get("minutes"), Some(&Value::from(4)));
    assert_eq!(log.attributes.get("target"), Some(&Value::from("it::events")));
    assert_eq!((log.attributes.len(), log.event_name.as_ref()), (3, None));
    assert_eq!(arrived.log("no span around").span, None);
    assert_eq!(arrived.log("told of another").span, Some(arrived.span("other").reference()));
    assert_eq!(arrived.log("told of none").span, None);
    assert!(arrived.spans.iter().all(|span| span.events.is_empty()));
}

#[test]
fn every_level_has_its_own() {
    let arrived = Bench::new().run(|| {
        trace!("t");
        debug!("d");
        info!("i");
        warn!("w");
        error!("e");
    });
    let levels: Vec<_> = ["t", "d", "i", "w", "e"].map(|message| arrived.log(message).level).into();
    assert_eq!(levels, [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error]);
}

#[test]
fn a_log_attaches_to_the_innermost_span_of_both_worlds() {
    let bench = Bench::new();
    let arrived = bench.run(|| {
        let _outer = info_span!("outer").entered();
        bench.obs.span("inner").scope(|| info!("deep"));
    });
    assert_eq!(arrived.log("deep").span, Some(arrived.span("inner").reference()));
}

#[test]
fn an_event_becomes_what_the_option_says() {
    for (events, logs, span_events) in
        [(Events::Logs, 1, 0), (Events::Inline, 0, 1), (Events::Both, 1, 1), (Events::Neither, 0, 0)]
    {
        let arrived = Bench::new().run_with(
            |layer| layer.with_events(events),
            || info_span!("span").in_scope(|| info!(nth = 1, "happened")),
        );
        assert_eq!(
            (arrived.logs.len(), arrived.span("span").events.len()),
            (logs, span_events),
            "{events:?}"
        );
        if let Some(event) = arrived.span("span").events.first() {
            assert_eq!(
                (event.name.as_str(), event.attributes.get("nth")),
                ("happened", Some(&Value::from(1)))
            );
            assert_eq!(event.attributes.get("level"), Some(&Value::from("INFO")));
        }
    }
}

#[instrument(err)]
fn failing() -> Result<(), std::num::ParseIntError> {
    "x".parse::<u8>().map(drop)
}

#[test]
fn an_error_marks_its_span_and_is_a_log() {
    let bench = Bench::new();
    let arrived = bench.run(|| {
        let _ = failing();
        info_span!("outer").in_scope(|| info_span!("inner").in_scope(|| error!("boom")));
    });
    let span = arrived.span("failing");
    assert_eq!(span.status, Status::Error);
    assert_eq!(span.error.as_ref().unwrap().message, "invalid digit found in string");
    let log = arrived.log("invalid digit found in string");
    assert_eq!((log.level, log.span), (Level::Error, Some(span.reference())));
    assert_eq!(arrived.span("inner").error.as_ref().unwrap().message, "boom");
    assert_eq!(arrived.span("outer").status, Status::Unset, "only the span that it happened in");
}

#[test]
fn an_error_in_a_span_of_obs_marks_no_other() {
    let bench = Bench::new();
    let arrived = bench.run(|| {
        info_span!("around").in_scope(|| bench.obs.span("inner").scope(|| error!("handled")));
        info_span!("shown").in_scope(|| bench.obs.internal_span("hidden").scope(|| error!("boom")));
    });
    assert_eq!(arrived.log("handled").span, Some(arrived.span("inner").reference()));
    assert_eq!(arrived.span("around").status, Status::Unset);
    assert_eq!(arrived.span("shown").status, Status::Error, "what is hidden is seen as the one around it");
}

#[test]
fn errors_leave_their_span_alone_by_option_or_if_it_says_it_is_fine() {
    let arrived = Bench::new().run_with(
        |layer| layer.with_errors_marking_spans(false),
        || info_span!("span").in_scope(|| error!("boom")),
    );
    assert_eq!((arrived.span("span").status, arrived.logs.len()), (Status::Unset, 1));
    let arrived =
        Bench::new().run(|| info_span!("span", otel.status_code = "ok").in_scope(|| error!("handled")));
    assert_eq!(arrived.span("span").status, Status::Ok);
}

#[test]
fn of_several_errors_the_first_is_kept_and_the_spans_own_word_beats_them() {
    let arrived = Bench::new().run(|| {
        info_span!("first").in_scope(|| {
            error!("cause");
            error!("effect");
        });
        let own = info_span!("own", error = tracing::field::Empty);
        own.in_scope(|| error!("an event"));
        own.record("error", "the span's own");
    });
    assert_eq!(arrived.span("first").error.as_ref().unwrap().message, "cause");
    assert_eq!(arrived.span("own").error.as_ref().unwrap().message, "the span's own");
}

#[test]
fn an_exception_is_an_event_of_that_name() {
    let arrived = Bench::new().run_with(
        |layer| layer.with_events(Events::Both),
        || {
            let error = std::fmt::Error;
            let error: &(dyn std::error::Error + 'static) = &error;
            info_span!("span").in_scope(|| error!(error));
        },
    );
    let event = &arrived.span("span").events[0];
    assert_eq!(event.name, "exception");
    let message = "an error occurred when formatting an argument";
    assert_eq!(event.attributes.get("exception.message"), Some(&Value::from(message)));
    assert_eq!(arrived.log(message).attributes.get("error"), Some(&Value::from(message)));
}

#[test]
fn an_event_that_has_a_name_keeps_it() {
    let arrived = Bench::new().run(|| {
        info!(name: "order.placed", order = 7, "placed");
        tracing::event!(name: "order.paid", tracing::Level::INFO, order = 7);
    });
    assert_eq!(arrived.log("placed").event_name.as_deref(), Some("order.placed"));
    assert_eq!(arrived.log("order.paid").event_name.as_deref(), Some("order.paid"));
}

#[test]
fn where_an_event_is_from_is_told_by_option() {
    let arrived = Bench::new().run_with(|layer| layer.with_event_code(CodeAttributes::All), || info!("here"));
    let attributes = &arrived.log("here").attributes;
    assert!(attributes.get("code.file.path").and_then(Value::as_str).unwrap().ends_with("events.rs"));
    assert!(attributes.get("code.line.number").is_some() && attributes.get("level").is_some());
    let arrived =
        Bench::new().run_with(|layer| layer.with_event_code(CodeAttributes::None), || info!("here"));
    assert!(arrived.log("here").attributes.is_empty());
}
