//! Short ways to set the fields that each type of span has.

use std::time::Duration;

use obs_core::{
    AgentRun, Chunk, Cost, Decision, Embedding, EvalExecution, LlmGeneration, McpToolCall, MemoryHit,
    MemoryLookup, MemoryUpdate, Payload, PromptLink, RagQuery, ResultType, Str, ToolCall, Usage, Value,
};

use crate::ActiveSpan;

impl ActiveSpan<AgentRun> {
    /// The agent's stable id.
    pub fn agent_id(&mut self, id: impl Into<Str>) -> &mut Self {
        self.fields(|run| run.agent_id = Some(id.into()))
    }

    /// The agent's name.
    pub fn agent(&mut self, name: impl Into<Str>) -> &mut Self {
        self.fields(|run| run.agent_name = Some(name.into()))
    }

    /// The agent's system instructions.
    pub fn instructions(&mut self, instructions: impl Into<Payload>) -> &mut Self {
        self.said(|run| run.instructions = Some(instructions.into()))
    }

    /// The names of the tools it may call.
    pub fn tools<S: Into<Str>>(&mut self, tools: impl IntoIterator<Item = S>) -> &mut Self {
        self.fields(|run| run.tools = tools.into_iter().map(Into::into).collect())
    }

    /// The most steps it may take.
    pub fn max_steps(&mut self, steps: u32) -> &mut Self {
        self.fields(|run| run.max_steps = Some(steps))
    }

    /// Records what the agent decided now, why, and what else it could have done.
    ///
    /// Decisions keep their order and their time; destinations show them with the run.
    pub fn decide<S: Into<Str>>(
        &mut self,
        action: impl Into<Str>,
        reasoning: impl Into<Str>,
        alternatives: impl IntoIterator<Item = S>,
    ) -> &mut Self {
        let Some(time) = self.now() else { return self };
        self.said(|run| {
            let alternatives = alternatives.into_iter().map(Into::into).collect();
            run.decisions.push(Decision {
                time,
                action: action.into(),
                reasoning: Some(reasoning.into()),
                alternatives,
            });
        })
    }
}

impl ActiveSpan<LlmGeneration> {
    /// The model asked for; [`crate::intern`] a name that is not static.
    #[inline]
    pub fn model(&mut self, model: impl Into<Str>) -> &mut Self {
        self.fields(|call| call.model = Some(model.into()))
    }

    /// Who serves it: `openai`, `anthropic`, `aws.bedrock`.
    #[inline]
    pub fn provider(&mut self, provider: impl Into<Str>) -> &mut Self {
        self.fields(|call| call.provider = Some(provider.into()))
    }

    /// The sampling temperature.
    #[inline]
    pub fn temperature(&mut self, temperature: f64) -> &mut Self {
        self.fields(|call| call.parameters.temperature = Some(temperature))
    }

    /// Nucleus sampling.
    pub fn top_p(&mut self, top_p: f64) -> &mut Self {
        self.fields(|call| call.parameters.top_p = Some(top_p))
    }

    /// Any other parameter, by its OpenTelemetry name without the prefix: `top_k`, `seed`, `stop_sequences`.
    pub fn parameter(&mut self, name: impl Into<Str>, value: impl Into<Value>) -> &mut Self {
        self.fields(|call| call.parameters.other.insert(name, value))
    }

    /// The most tokens to answer with.
    pub fn max_tokens(&mut self, tokens: u64) -> &mut Self {
        self.fields(|call| call.parameters.max_tokens = Some(tokens))
    }

    /// The tools offered, in the provider's form.
    pub fn tools(&mut self, tools: impl Into<Payload>) -> &mut Self {
        self.said(|call| call.tools = Some(tools.into()))
    }

    /// The managed prompt it was made from.
    pub fn prompt(&mut self, name: impl Into<Str>, version: Option<Str>) -> &mut Self {
        self.fields(|call| call.prompt = Some(Box::new(PromptLink { name: name.into(), version })))
    }

    /// Notes that the first token came now: the time to it, and that the answer is streamed.
    ///
    /// Only the first call counts.
    pub fn first_token(&mut self) -> &mut Self {
        let Some((now, start)) = self.now().zip(self.started()) else { return self };
        self.fields(|call| {
            call.streaming = Some(true);
            call.time_to_first_token.get_or_insert(now.since(start));
        })
    }

    /// Whether the answer is streamed.
    pub fn streaming(&mut self, streaming: bool) -> &mut Self {
        self.fields(|call| call.streaming = Some(streaming))
    }

    /// How long the first token took, where [`Self::first_token`] was not called when it came.
    pub fn time_to_first_token(&mut self, took: Duration) -> &mut Self {
        self.fields(|call| call.time_to_first_token = Some(took))
    }

    /// The model that answered and the provider's id of the answer.
    pub fn response(&mut self, model: impl Into<Str>, id: impl Into<Str>) -> &mut Self {
        self.fields(|call| (call.response_model, call.response_id) = (Some(model.into()), Some(id.into())))
    }

    /// Tokens used.
    #[inline]
    pub fn usage(&mut self, usage: Usage) -> &mut Self {
        self.fields(|call| call.usage = usage)
    }

    /// What it cost.
    pub fn cost(&mut self, cost: Cost) -> &mut Self {
        self.fields(|call| call.cost = Some(Box::new(cost)))
    }

    /// Why the model stopped, in the provider's word.
    pub fn finish_reason(&mut self, reason: impl Into<Str>) -> &mut Self {
        self.fields(|call| call.finish_reason = Some(reason.into()))
    }

    /// What kind of answer came.
    pub fn result_type(&mut self, result: ResultType) -> &mut Self {
        self.fields(|call| call.result_type = Some(result))
    }
}

macro_rules! tool_setters {
    ($kind:ty, |$fields:ident| $call:expr) => {
        impl ActiveSpan<$kind> {
            /// The tool's name, where it differs from the span's.
            pub fn tool(&mut self, tool: impl Into<Str>) -> &mut Self {
                self.fields(|$fields| $call.tool = Some(tool.into()))
            }

            /// The agent that called it.
            pub fn agent(&mut self, agent: impl Into<Str>) -> &mut Self {
                self.fields(|$fields| $call.agent = Some(agent.into()))
            }

            /// The id that the model gave the call.
            pub fn call_id(&mut self, id: impl Into<Str>) -> &mut Self {
                self.fields(|$fields| $call.call_id = Some(id.into()))
            }

            /// What kind of tool it is: `function`, `extension`, `datastore`.
            pub fn tool_kind(&mut self, kind: impl Into<Str>) -> &mut Self {
                self.fields(|$fields| $call.kind = Some(kind.into()))
            }

            /// What the tool is said to do.
            pub fn description(&mut self, description: impl Into<Str>) -> &mut Self {
                self.fields(|$fields| $call.description = Some(description.into()))
            }

            /// Whether it did what it was asked; at the end it is whether the span failed unless said otherwise.
            pub fn success(&mut self, success: bool) -> &mut Self {
                self.fields(|$fields| $call.success = Some(success))
            }
        }
    };
}

tool_setters!(ToolCall, |fields| fields);
tool_setters!(McpToolCall, |fields| fields.call);

impl ActiveSpan<McpToolCall> {
    /// The MCP server's name.
    pub fn server(&mut self, server: impl Into<Str>) -> &mut Self {
        self.fields(|call| call.server = Some(server.into()))
    }

    /// The MCP server's version.
    pub fn server_version(&mut self, version: impl Into<Str>) -> &mut Self {
        self.fields(|call| call.server_version = Some(version.into()))
    }

    /// The JSON-RPC method.
    pub fn method(&mut self, method: impl Into<Str>) -> &mut Self {
        self.fields(|call| call.method = Some(method.into()))
    }
}

impl ActiveSpan<MemoryLookup> {
    /// Which memory.
    pub fn memory(&mut self, memory: impl Into<Str>) -> &mut Self {
        self.fields(|lookup| lookup.memory = Some(memory.into()))
    }

    /// What was asked.
    pub fn query(&mut self, query: impl Into<Str>) -> &mut Self {
        self.said(|lookup| lookup.query = Some(query.into()))
    }

    /// Adds a memory that was found; best first.
    pub fn hit(&mut self, id: impl Into<Str>, content: impl Into<Payload>, similarity: f64) -> &mut Self {
        self.said(|lookup| {
            let (id, content, similarity) = (Some(id.into()), Some(content.into()), Some(similarity));
            lookup.results.push(MemoryHit { id, content, similarity });
        })
    }
}

impl ActiveSpan<MemoryUpdate> {
    /// Which memory.
    pub fn memory(&mut self, memory: impl Into<Str>) -> &mut Self {
        self.fields(|update| update.memory = Some(memory.into()))
    }

    /// What was done, and how many memories it touched.
    pub fn operation(&mut self, operation: impl Into<Str>, count: u64) -> &mut Self {
        self.fields(|update| (update.operation, update.count) = (Some(operation.into()), Some(count)))
    }
}

impl ActiveSpan<RagQuery> {
    /// What was asked, and how many chunks were wanted.
    pub fn query(&mut self, query: impl Into<Str>, top_k: u32) -> &mut Self {
        self.said(|rag| (rag.query, rag.top_k) = (Some(query.into()), Some(top_k)))
    }

    /// The store or index asked.
    pub fn store(&mut self, store: impl Into<Str>) -> &mut Self {
        self.fields(|rag| rag.store = Some(store.into()))
    }

    /// Adds a chunk that came; best first.
    pub fn chunk(&mut self, chunk: Chunk) -> &mut Self {
        self.said(|rag| rag.chunks.push(chunk))
    }
}

impl ActiveSpan<Embedding> {
    /// The model; [`crate::intern`] a name that is not static.
    pub fn model(&mut self, model: impl Into<Str>) -> &mut Self {
        self.fields(|embedding| embedding.model = Some(model.into()))
    }

    /// Who serves it: `openai`, `aws.bedrock`.
    pub fn provider(&mut self, provider: impl Into<Str>) -> &mut Self {
        self.fields(|embedding| embedding.provider = Some(provider.into()))
    }

    /// The length of a vector.
    pub fn dimensions(&mut self, dimensions: u32) -> &mut Self {
        self.fields(|embedding| embedding.dimensions = Some(dimensions))
    }

    /// How many were made.
    pub fn count(&mut self, count: u64) -> &mut Self {
        self.fields(|embedding| embedding.count = Some(count))
    }

    /// Tokens used.
    pub fn usage(&mut self, usage: Usage) -> &mut Self {
        self.fields(|embedding| embedding.usage = usage)
    }

    /// What they cost.
    pub fn cost(&mut self, cost: Cost) -> &mut Self {
        self.fields(|embedding| embedding.cost = Some(Box::new(cost)))
    }
}

impl ActiveSpan<EvalExecution> {
    /// The scorer's name.
    pub fn scorer(&mut self, scorer: impl Into<Str>) -> &mut Self {
        self.fields(|run| run.scorer = Some(scorer.into()))
    }

    /// Where it runs: `live`, `trace`, `experiment`.
    pub fn source(&mut self, source: impl Into<Str>) -> &mut Self {
        self.fields(|run| run.source = Some(source.into()))
    }
}
