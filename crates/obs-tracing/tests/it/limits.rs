use obs_core::Value;
use obs_instrument::{SpanLimits, left_out};
use obs_tracing::{Events, Limits};
use tracing::field::Empty;
use tracing::{info, info_span};

use crate::collect::{Bench, attribute};

const MARK: &str = "… [cut by obs]";

#[test]
fn a_long_text_is_cut_with_a_mark() {
    let limits = Limits { text_bytes: 100, ..Limits::default() };
    let arrived = Bench::new().run_with(
        |layer| layer.with_limits(limits),
        || {
            let long = "ä".repeat(1_000);
            let _span = info_span!("span", text = long.as_str(), shown = %long, input.value = long.as_str())
                .entered();
            info!(long, "said {long}");
        },
    );
    let span = arrived.span("span");
    for text in [attribute(span, "text").as_str().unwrap(), attribute(span, "shown").as_str().unwrap()] {
        assert!(text.len() <= 100 && text.ends_with(MARK), "{text}");
    }
    assert!(span.input.as_ref().unwrap().as_str().ends_with(MARK));
    let log = &arrived.logs[0];
    assert!(log.message.len() <= 100 && log.message.ends_with(MARK));
    assert!(log.attributes.get("long").and_then(Value::as_str).unwrap().ends_with(MARK));
}

#[test]
fn the_texts_of_a_span_together_are_bounded_and_one_told_again_takes_its_own_place() {
    let limits = Limits { span_bytes: 50_000, ..Limits::default() };
    let arrived = Bench::new().run_with(
        |layer| layer.with_limits(limits),
        || {
            let large = "x".repeat(30_000);
            let span = info_span!("span", a = Empty, b = Empty);
            for _ in 0..10 {
                span.record("a", large.as_str());
            }
            span.record("b", large.as_str());
        },
    );
    let span = arrived.span("span");
    assert_eq!(attribute(span, "a").as_str().unwrap().len(), 30_000);
    let b = attribute(span, "b").as_str().unwrap();
    assert!(b.len() <= 20_000 && b.ends_with(MARK), "{}", b.len());
}

#[test]
fn what_a_span_has_no_room_for_is_counted() {
    let limits = Limits { attributes: 2, events: 3, links: 1, ..Limits::default() };
    let arrived = Bench::new().run_with(
        |layer| layer.with_limits(limits).with_events(Events::Both),
        || {
            let causes = [info_span!("cause"), info_span!("cause")];
            let span = info_span!("span", a = 1, b = 2, c = 3, d = 4);
            span.record("a", 9);
            span.record("c", 9);
            for cause in &causes {
                span.follows_from(cause);
            }
            span.in_scope(|| (0..10).for_each(|nth| info!(nth, more = 1, most = 2, "said")));
        },
    );
    let span = arrived.span("span");
    assert_eq!((*attribute(span, "a")).as_i64(), Some(9));
    assert_eq!((span.events.len(), span.links.len()), (3, 1));
    assert_eq!(*attribute(span, left_out::ATTRIBUTES), Value::from(2));
    assert_eq!(*attribute(span, left_out::EVENTS), Value::from(7));
    assert_eq!(*attribute(span, left_out::LINKS), Value::from(1));
    let log = &arrived.logs[0].attributes;
    assert_eq!(log.get(left_out::ATTRIBUTES), Some(&Value::from(1)));
}

#[test]
fn the_limits_are_those_of_every_span() {
    let Limits { attributes, events, links, .. } = Limits::default();
    let own = SpanLimits::default()
        .with_attributes(u32::try_from(attributes).unwrap())
        .with_events(u32::try_from(events).unwrap())
        .with_links(u32::try_from(links).unwrap());
    assert_eq!(own, SpanLimits::default());
}

#[test]
fn what_both_limits_leave_out_is_counted_once_and_under_one_name() {
    let limits = Limits { attributes: 4, events: 5, ..Limits::default() };
    let spans = SpanLimits::default().with_attributes(3).with_events(2);
    let arrived = Bench::with(|builder| builder.span_limits(spans)).run_with(
        |layer| layer.with_limits(limits).with_events(Events::Both),
        || {
            let span = info_span!("span", a = 1, b = 2, c = 3, d = 4, e = 5);
            span.in_scope(|| (0..10).for_each(|_| info!("said")));
        },
    );
    let span = arrived.span("span");
    assert_eq!(*attribute(span, left_out::ATTRIBUTES), Value::from(2));
    assert_eq!(*attribute(span, left_out::EVENTS), Value::from(8));
    assert_eq!(span.attributes.iter().filter(|(key, _)| key.contains("dropped")).count(), 2);
}
