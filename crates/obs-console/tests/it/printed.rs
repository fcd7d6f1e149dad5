//! What the exporter prints, and when.

use obs_console::{Color, ConsoleConfig, ConsoleExporter};
use obs_core::{Batch, ErrorKind, Exporter, Labels, Level, Metric, MetricValue, SpanRecord, Target};

use crate::paper::Paper;
use crate::sample;

fn exporter(config: ConsoleConfig) -> (ConsoleExporter, Paper) {
    let paper = Paper::default();
    (ConsoleExporter::with_writer(config, paper.clone()).unwrap(), paper)
}

fn spans(which: impl Fn(&obs_core::Span) -> bool) -> Batch {
    let spans = sample::trace().spans.into_iter().filter(which);
    Batch::Traces(spans.map(SpanRecord::Ended).collect())
}

#[tokio::test]
async fn a_tree_is_printed_when_its_root_ends_and_the_rest_on_flush() {
    let (exporter, paper) = exporter(ConsoleConfig::new());
    exporter.export(&spans(|span| span.span_id.get() == 2)).await.unwrap();
    assert_eq!(paper.text(), "");
    exporter.export(&spans(|span| span.span_id.get() == 1)).await.unwrap();
    let tree = paper.text();
    assert!(tree.contains("workflow answer-question") && tree.contains("└─ step retrieve"), "{tree}");
    exporter.export(&spans(|span| span.span_id.get() == 4)).await.unwrap();
    assert_eq!(paper.text(), tree, "a span that is late waits");
    exporter.flush().await.unwrap();
    assert!(paper.text()[tree.len()..].contains("step remember"), "{}", paper.text());
}

#[tokio::test]
async fn spans_that_could_not_be_printed_come_back_and_print_once() {
    let (exporter, paper) = exporter(ConsoleConfig::new());
    exporter.export(&spans(|span| span.span_id.get() == 2)).await.unwrap();
    paper.set_broken(true);
    let root = spans(|span| span.span_id.get() == 1);
    let error = exporter.export(&root).await.unwrap_err();
    assert_eq!((error.kind(), error.undelivered().len()), (ErrorKind::Io, 1));
    paper.set_broken(false);
    exporter.export(error.undelivered()).await.unwrap();
    exporter.shutdown().await.unwrap();
    assert_eq!(paper.text().matches("answer-question").count(), 2, "once as a name, once as a span");
}

#[tokio::test]
async fn everything_else_is_a_line_each() {
    let (exporter, paper) = exporter(ConsoleConfig::new());
    let mut tokens = Metric::new(sample::at(1), "gen_ai.client.token.usage", MetricValue::Add(12.0));
    tokens.unit = Some("{token}".into());
    tokens.labels = Labels::from([("gen_ai.request.model", "gpt-4o-mini\x1b[2J")]);
    let depth = Metric::new(sample::at(2), "queue.depth", MetricValue::Gauge(-3.5));
    let mut log = sample::log(Level::Error, 3, "cannot\nread", Some(12));
    log.attributes = [("attempt", 2)].into_iter().collect();
    let mut session = sample::score(13);
    session.target = Target::Session { session_id: "s-17".into() };
    for batch in [
        Batch::Metrics([tokens, depth].into_iter().collect()),
        Batch::Logs([log].into_iter().collect()),
        Batch::Scores([sample::score(13), session].into_iter().collect()),
        Batch::Feedback([sample::feedback()].into_iter().collect()),
    ] {
        exporter.export(&batch).await.unwrap();
    }
    insta::assert_snapshot!(paper.text());
}

#[tokio::test]
async fn colours_are_forced_or_left_out() {
    for (color, colored) in [(Color::Auto, false), (Color::Never, false), (Color::Always, true)] {
        let (exporter, paper) = exporter(ConsoleConfig::new().with_color(color));
        exporter.export(&spans(|_| true)).await.unwrap();
        assert_eq!(paper.text().contains('\x1b'), colored, "{color:?}");
    }
}

#[tokio::test]
async fn traces_that_never_end_are_printed_when_too_many_spans_wait() {
    let (exporter, paper) = exporter(ConsoleConfig::new().with_max_open_spans(3));
    exporter.export(&spans(|span| (2..=4).contains(&span.span_id.get()))).await.unwrap();
    assert_eq!(paper.writes(), 0);
    exporter.export(&spans(|span| span.span_id.get() == 5)).await.unwrap();
    assert!(paper.text().contains("4 spans"), "{}", paper.text());
}
