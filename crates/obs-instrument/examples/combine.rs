//! All of it into Parquet files, a tenth of the traces to Langfuse, numbers and warnings to Datadog.
//!
//! With the vendors' own variables set: `cargo run -p obs-instrument --example combine`

use std::time::Duration;

use obs_datadog::{DatadogConfig, DatadogExporter};
use obs_file::{FileConfig, FileExporter, FileFormat};
use obs_instrument::Observability;
use obs_instrument::core::{Level, Ratio, Signal, Signals};
use obs_instrument::pipeline::{DestinationSpec, RecordRef, Route};
use obs_langfuse::{LangfuseConfig, LangfuseExporter};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let archive = FileConfig::new("telemetry").with_file_format(FileFormat::Parquet);
    let tenth = Route::new().with_description("a tenth of the traces").sample(Ratio::new(0.1)?);
    let numbers = Route::new()
        .with_description("numbers and warnings")
        .signals(Signals::NONE.with(Signal::Metrics).with(Signal::Logs))
        .when(|record| match record {
            RecordRef::Log(log) => log.level >= Level::Warn,
            _ => true,
        });
    let datadog = DatadogExporter::new(DatadogConfig::from_env()?)?;
    let langfuse = LangfuseExporter::new(LangfuseConfig::from_env()?)?;

    let obs = Observability::builder("support-bot")
        .to(FileExporter::new(archive)?)
        .to(DestinationSpec::new(langfuse).with_route(tenth))
        .to(DestinationSpec::new(datadog)
            .with_route(numbers)
            .with_fallback("late", FileExporter::new(FileConfig::new("telemetry-late"))?))
        .build()?;

    let mut call = obs.llm_generation("chat");
    call.model("gpt-4o").provider("openai").input("What is obs?");
    call.score("relevance", 0.9);
    call.end_with("The observability layer for agents.");
    obs.warn("the answer was short");
    println!("{}", obs.flush(Duration::from_secs(5)));
    Ok(())
}
