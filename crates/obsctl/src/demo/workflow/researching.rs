//! Steps 6 to 10: what is known of the question, and the agent that finds out more.

use std::error::Error as _;
use std::path::Path;
use std::sync::Arc;

use obs_core::{AgentRun, Level, MemoryLookup, RagQuery, Target, ToolCall};
use obs_instrument::{ActiveSpan, FutureExt as _};
use serde_json::json;

use super::reading::Corpus;
use super::{Draft, Workflow};
use crate::demo::files::Scratch;
use crate::demo::index::Hit;
use crate::demo::memory::{Memory, Recalled};
use crate::demo::meters::Meters;
use crate::demo::model::{Prompt, Source, Task};
use crate::demo::plan::{self, Decision};
use crate::demo::recording::{chunks, memories};
use crate::demo::tools::{Call, Workbench};

/// How many passages the retrieval asks for.
const TOP_K: usize = 12;

/// How many remembered questions are looked at, and how near they must be at least.
const RECALLED: (usize, f64) = (3, 0.2);

/// The name of the agent.
const AGENT: &str = "librarian";

/// The name of the memory.
const MEMORY: &str = "answered questions";

impl Workflow<'_> {
    pub(super) async fn open_memory(&self, file: &Path) -> anyhow::Result<Memory> {
        self.step("memory", "open the memory", async |step| {
            let memory = Memory::open(file)?;
            step.output_with(|| json!({ "facts": memory.len() }));
            Ok(memory)
        })
        .await
    }

    pub(super) async fn recall(&self, memory: &Memory, question: &str) -> anyhow::Result<Vec<Recalled>> {
        self.step("recall", "recall similar questions", async |_| {
            let mut span = self.obs.memory_lookup("look for similar questions");
            span.input(question.to_owned());
            let recalled = memory.lookup(question, RECALLED.0, RECALLED.1);
            span.fields(|fields: &mut MemoryLookup| {
                fields.memory = Some(MEMORY.into());
                fields.query = Some(question.to_owned().into());
                fields.results = memories(&recalled);
            });
            span.end();
            Ok(recalled)
        })
        .await
    }

    pub(super) async fn rewrite(&self, question: &str, corpus: &Corpus) -> anyhow::Result<String> {
        self.step("rewrite", "rewrite the question", async |step| {
            let prompt = Prompt {
                task: Task::Rewrite,
                question: question.to_owned(),
                sources: corpus.headings(),
                facts: Vec::new(),
                max_tokens: 40,
            };
            step.input(question.to_owned());
            let (written, _) = self.generate(&prompt).await?;
            // Without a word of the model's the question itself is searched for.
            let query =
                if written.trim().is_empty() { question.to_owned() } else { written.trim().to_owned() };
            step.output(query.clone());
            Ok(query)
        })
        .await
    }

    pub(super) async fn retrieve(&self, query: &str, corpus: &Corpus) -> anyhow::Result<Vec<Hit>> {
        self.step("retrieve", "retrieve passages", async |_| {
            let mut span = self.obs.rag_query("search the passages");
            span.input(query.to_owned());
            let hits = corpus.index.search(query, TOP_K);
            span.fields(|fields: &mut RagQuery| {
                fields.query = Some(query.to_owned().into());
                fields.store = Some("bm25".into());
                fields.top_k = Some(TOP_K as u32);
                fields.chunks = chunks(&hits, &corpus.passages);
            });
            span.end();
            Ok(hits)
        })
        .await
    }

    /// The agent: it decides what to read and which tools to run, and answers.
    pub(super) async fn research(
        &self,
        question: &str,
        corpus: &Corpus,
        hits: &[Hit],
        recalled: &[Recalled],
    ) -> anyhow::Result<Draft> {
        self.step("research", "research and answer", async |_| {
            let mut agent = self.obs.agent_run(AGENT);
            agent.input(question.to_owned());
            agent.fields(|fields: &mut AgentRun| {
                fields.agent_id = Some(AGENT.into());
                fields.instructions =
                    Some("Answer from the files, and say what supports each sentence.".into());
                fields.tools = ["word_count", "find_in_files", "read_linked_file"].map(Into::into).into();
            });
            let context = agent.context();
            let result =
                self.answer(&mut agent, question, corpus, hits, recalled).with_context(context).await;
            match &result {
                Ok(draft) => agent.output(draft.text.clone()),
                Err(error) => agent.fail_with(|| super::failure(error)),
            };
            agent.end();
            result
        })
        .await
    }

    async fn answer(
        &self,
        agent: &mut ActiveSpan<AgentRun>,
        question: &str,
        corpus: &Corpus,
        hits: &[Hit],
        recalled: &[Recalled],
    ) -> anyhow::Result<Draft> {
        let memory = decided(agent, plan::choose_memory(recalled));
        let chosen = decided(agent, plan::choose_passages(hits, &corpus.passages));
        let notes = Path::new(Scratch::LINK);
        let calls = decided(agent, plan::choose_tools(question, &chosen, &corpus.passages, notes));
        let mut facts = self.run_tools(calls, corpus).await;
        facts.extend(memory.map(|at| format!("an earlier answer: {}", recalled[at].fact.answer)));
        let passage = |hit: &Hit| &corpus.passages[hit.passage];
        let prompt = Prompt {
            task: Task::Answer,
            question: question.to_owned(),
            sources: chosen
                .iter()
                .map(|hit| Source { label: passage(hit).label(), text: passage(hit).text.clone() })
                .collect(),
            facts,
            max_tokens: 500,
        };
        let (text, target): (String, Option<Target>) = self.generate(&prompt).await?;
        Ok(Draft {
            text,
            labels: prompt.sources.iter().map(|source| source.label.clone()).collect(),
            passages: prompt.sources.into_iter().map(|source| source.text).collect(),
            remembered: memory.is_some(),
            target,
        })
    }

    /// Runs the tools side by side; what one that fails would have told is left out.
    async fn run_tools(&self, calls: Vec<Call>, corpus: &Corpus) -> Vec<String> {
        let running: Vec<_> = calls
            .into_iter()
            .enumerate()
            .map(|(at, call)| {
                let span = self.tool_span(at, &call);
                let (bench, meters) = (Arc::clone(&corpus.bench), self.meters.clone());
                tokio::task::spawn_blocking(move || run_tool(&call, &bench, span, &meters))
            })
            .collect();
        let mut facts = Vec::new();
        for tool in running {
            match tool.await {
                Ok(fact) => facts.extend(fact),
                Err(error) => {
                    self.obs.error(format!("a tool panicked: {error}"));
                }
            }
        }
        facts
    }

    fn tool_span(&self, at: usize, call: &Call) -> ActiveSpan<ToolCall> {
        let mut span = self.obs.tool_call(call.name());
        span.fields(|fields| {
            fields.tool = Some(call.name().into());
            fields.call_id = Some(format!("call-{}", at + 1).into());
            fields.kind = Some("function".into());
            fields.description = Some(call.description().into());
            fields.agent = Some(AGENT.into());
        });
        span.input_with(|| call.arguments());
        span
    }
}

/// Runs one tool on a thread of its own; its span, made by the caller, ends with it.
fn run_tool(
    call: &Call,
    bench: &Workbench,
    mut span: ActiveSpan<ToolCall>,
    meters: &Meters,
) -> Option<String> {
    let result = bench.run(call);
    meters.tool(call.name(), result.is_ok());
    match result {
        Ok(found) => {
            let fact = format!("{}: {found}", call.name());
            span.end_with(found);
            Some(fact)
        }
        Err(error) => {
            span.fail(&error);
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            span.log(Level::Warn, format!("{} failed, going on without it: {error}{cause}", call.name()));
            None
        }
    }
}

/// Records a decision on the agent's span and gives back what was chosen.
fn decided<T>(agent: &mut ActiveSpan<AgentRun>, made: Decision<T>) -> T {
    agent.decide(made.action, made.reasoning, made.alternatives);
    made.chosen
}
