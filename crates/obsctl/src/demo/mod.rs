//! The demo: a real agent that answers a question about the files of a directory.

mod chunks;
mod citations;
mod evaluate;
mod extractive;
mod files;
mod index;
mod memory;
mod meters;
mod model;
mod openai;
mod plan;
mod recording;
mod sse;
mod tools;
mod words;
mod workflow;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use obs_console::{RenderOptions, render_trace};
use obs_core::{Secret, Trace, TraceReader as _};
use obs_instrument::{Observability, Sampling};
use serde_json::json;

use self::extractive::LocalExtractive;
use self::model::Model;
use self::openai::OpenAiCompatible;
use self::workflow::{Answer, Request, Workflow};
use crate::cli::DemoArgs;
use crate::output::{Done, print, print_json, say};
use crate::table::harmless;
use crate::telemetry::{self, DEADLINE, Telemetry};
use crate::traces;

/// What is asked of this repository's documents.
const QUESTION: &str = "What happens to a record when a destination hangs?";

/// What is asked of a directory that nothing is known of.
const GENERAL_QUESTION: &str = "What are the main parts, and what does each of them do?";

/// Runs the demo; `options` are for the tree.
pub(crate) async fn run(args: DemoArgs, options: &RenderOptions) -> anyhow::Result<Done> {
    let model = model(&args)?;
    let request = request(&args)?;
    let telemetry = Telemetry::in_folder(&args.out)?;
    let builder = Observability::builder("obsctl-demo");
    let obs = match telemetry::prices(args.prices.as_deref())? {
        Some(prices) => builder.prices(&prices),
        None => builder,
    };
    let obs = obs
        .resource("service.version", env!("CARGO_PKG_VERSION"))
        .environment("demo")
        .enabled(true)
        .sampling(Sampling::Always)
        .to(telemetry.store()?)
        .to(telemetry.lines()?)
        .build()?;
    let (trace_id, answer) = Workflow::new(&obs, &*model).run(&request).await;
    telemetry::all_delivered(&obs.shutdown(DEADLINE))?;
    let trace_id = trace_id.context("nothing was recorded")?;
    let trace = telemetry.reader()?.trace(trace_id).await?.context("the trace is not in the store")?;
    show(&args, &request, answer.as_ref().ok(), &trace, &telemetry, options)?;
    answer?;
    Ok(Done::Wholly)
}

fn model(args: &DemoArgs) -> anyhow::Result<Box<dyn Model>> {
    let (Some(url), Some(name)) = (&args.base_url, &args.model) else {
        return Ok(Box::new(LocalExtractive));
    };
    let key = std::env::var("OPENAI_API_KEY").ok().filter(|key| !key.is_empty()).map(Secret::from);
    Ok(Box::new(OpenAiCompatible::new(url, name, key)?))
}

/// The directory and the question, with what was not said filled in.
fn request(args: &DemoArgs) -> anyhow::Result<Request> {
    let (dir, question) = match &args.dir {
        Some(dir) if dir.is_dir() => (dir.clone(), GENERAL_QUESTION),
        Some(dir) => bail!("{} is not a directory; name one with .md, .txt or .rs files", dir.display()),
        None if Path::new("docs").is_dir() => (PathBuf::from("docs"), QUESTION),
        None => {
            say(
                "there is no ./docs here: answering from the current directory; `obsctl demo DIR` names another",
            );
            (PathBuf::from("."), GENERAL_QUESTION)
        }
    };
    Ok(Request {
        dir,
        question: args.question.clone().unwrap_or_else(|| question.to_owned()),
        memory: args.out.join("memory.json"),
        feedback: args.feedback.clone(),
    })
}

fn show(
    args: &DemoArgs,
    request: &Request,
    answer: Option<&Answer>,
    trace: &Trace,
    telemetry: &Telemetry,
    options: &RenderOptions,
) -> anyhow::Result<()> {
    if args.json {
        return print_json(&json!({
            "trace_id": trace.trace_id,
            "question": request.question,
            "answer": answer.map(|answer| &answer.text),
            "groundedness": answer.map(|answer| answer.evaluation.groundedness),
            "coverage": answer.map(|answer| answer.evaluation.coverage),
            "store": telemetry.store_path(),
            "telemetry": telemetry.lines_path(),
            "trace": traces::document(trace),
        }));
    }
    let told = answer.map(|answer| told(request, answer)).unwrap_or_default();
    let (lines, store) = (telemetry.lines_path().display(), telemetry.store_path().display());
    let text = format!(
        "{tree}{told}\nTelemetry: {lines} and {store}\nAgain:     obsctl traces show {id} --db {store}\n",
        tree = render_trace(trace, options),
        id = trace.trace_id,
    );
    Ok(print(&text)?)
}

/// The question, the answer and its sources.
fn told(request: &Request, answer: &Answer) -> String {
    let mut lines = vec![String::new(), format!("Question: {}", harmless(&request.question))];
    let text: Vec<String> = answer.text.split('\n').map(harmless).collect();
    lines.push(format!("Answer:   {}", text.join("\n")));
    lines.extend(
        answer.sources.iter().map(|(number, label)| format!("          [{number}] {}", harmless(label))),
    );
    lines.push(format!(
        "Measured: groundedness {:.2}, coverage {:.2}{}",
        answer.evaluation.groundedness,
        answer.evaluation.coverage,
        if answer.remembered { "; an earlier answer was at hand" } else { "" },
    ));
    lines.push(String::new());
    lines.join("\n")
}
