//! What recording a span costs the application's thread: `cargo run --release -p obs-pipeline --example hot_path`.
//!
//! Bursts of 2,000 ready LLM spans with 600 bytes of shared payload, a flush between bursts, a destination that drops.
//! Every span is a copy of a template; what the copy alone costs stands in a line of its own, to be subtracted.
//! It prints nanoseconds a span, the least and the median burst, and allocations on the recording thread.

use std::hint::black_box;
use std::mem::forget;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Error, Exporter, Health, LlmGeneration, Mapped, Mappers, Payload, Receipt, Records,
    Span, SpanId, SpanRecord, SpanType, Str, Timestamp, TraceId,
};
use obs_pipeline::{Intake, Pipeline};

const BURST: u64 = 2_000;
const BURSTS: usize = 200;
const DEADLINE: Duration = Duration::from_secs(10);

fn main() {
    println!("{:<34} {:>8} {:>8} {:>8}", "ns a span", "least", "median", "allocs");
    for threads in [1, 2] {
        let pipeline = Pipeline::builder().to(Drop(Drop::DESCRIPTOR)).without_redaction().build();
        let pipeline = Arc::new(pipeline.expect("the pipeline starts"));
        measure("the copy alone", threads, &pipeline, |_, span| forget(black_box(span)));
        measure("copy and span_ended", threads, &pipeline, Intake::span_ended);
        measure("copy and take_span", threads, &pipeline, |intake, span| {
            let mut slot = Some(SpanRecord::Ended(span));
            intake.take_span(&mut slot);
        });
        let report = pipeline.shutdown(DEADLINE);
        assert!(report.complete && report.is_balanced(), "{report}");
    }
}

/// Bursts of spans that `record` takes; copying the template is part of the time, and stands in a line of its own.
fn measure(what: &str, threads: usize, pipeline: &Arc<Pipeline>, record: fn(&Intake, Span)) {
    let template = template().expect("the ids are not zero");
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let (pipeline, template) = (Arc::clone(pipeline), template.clone());
            thread::spawn(move || {
                let intake = pipeline.intake();
                let mut bursts = Vec::with_capacity(BURSTS);
                let mut allocations = 0;
                for _ in 0..BURSTS {
                    let (from, mut took) = (intake.clock().monotonic(), Duration::ZERO);
                    let counted = allocation_counter::measure(|| {
                        for _ in 0..BURST {
                            record(&intake, template.clone());
                        }
                        took = intake.clock().monotonic().saturating_sub(from);
                    });
                    allocations += counted.count_total;
                    bursts.push(took.as_secs_f64() * 1e9 / BURST as f64);
                    pipeline.flush(DEADLINE);
                }
                (bursts, allocations)
            })
        })
        .collect();
    let (mut bursts, mut allocations) = (Vec::new(), 0);
    for worker in workers {
        let (more, count) = worker.join().expect("the worker does not panic");
        bursts.extend(more);
        allocations += count;
    }
    bursts.sort_by(f64::total_cmp);
    let each = allocations as f64 / (BURST as usize * BURSTS * threads) as f64;
    println!(
        "{:<34} {:>8.1} {:>8.1} {each:>8.3}",
        format!("{what}, {threads} thread(s)"),
        bursts[0],
        bursts[bursts.len() / 2]
    );
}

fn template() -> Option<Span> {
    let payload = Arc::<str>::from("x".repeat(300));
    let mut span = Span::new(TraceId::new(1)?, SpanId::new(1)?, "chat", Timestamp::default());
    span.input = Some(Payload::from(Arc::clone(&payload)));
    span.output = Some(Payload::from(payload));
    span.span_type = SpanType::LlmGeneration(LlmGeneration {
        model: Some(Str::copied("claude-sonnet-4-5-20250929")),
        provider: Some("anthropic".into()),
        ..LlmGeneration::default()
    });
    Some(span)
}

/// A destination that takes everything and keeps nothing.
#[derive(Debug)]
struct Drop(Descriptor);

impl Drop {
    const MAPPERS: Mappers<Self, ()> = Mappers::NONE.traces(nothing);
    const DESCRIPTOR: Descriptor = Descriptor::of("drop", &Self::MAPPERS);
}

fn nothing(_: &Drop, records: &Records<SpanRecord>) -> Mapped<()> {
    Mapped::whole((), records.len())
}

#[async_trait]
impl Exporter for Drop {
    fn descriptor(&self) -> &Descriptor {
        &self.0
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        Ok(Receipt::delivered(batch.len()))
    }

    async fn check(&self) -> Health {
        Health::Healthy
    }

    async fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), Error> {
        Ok(())
    }
}
