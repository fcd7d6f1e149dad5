//! What writes text for the demo: the contract of a model, and its errors.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

/// What a model is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Turn the question into search words.
    Rewrite,
    /// Answer the question from the sources.
    Answer,
}

/// A text that a model may use, and how it is cited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// Where the text stands: `file.md:3-9`.
    pub label: String,
    /// The text.
    pub text: String,
}

/// Everything a model gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prompt {
    /// What to do.
    pub task: Task,
    /// The user's question.
    pub question: String,
    /// The texts to use, best first.
    pub sources: Vec<Source>,
    /// What tools found out, one line each.
    pub facts: Vec<String>,
    /// The most tokens to write.
    pub max_tokens: u32,
}

impl Prompt {
    /// The rules of the task, the system message of a chat.
    pub(crate) fn instructions(&self) -> &'static str {
        match self.task {
            Task::Rewrite => {
                "Turn the question into three to eight search words for a lexical index of the user's files. \
                 Take words from the headings where they fit. Answer with the words alone."
            }
            Task::Answer => {
                "Answer the question from the numbered sources only, in at most five sentences. \
                 Cite each source that you use as [number]. If the sources do not answer it, say so."
            }
        }
    }

    /// The question with everything to answer it from, the user message of a chat.
    pub(crate) fn message(&self) -> String {
        let mut parts = vec![format!("Question: {}", self.question)];
        for (at, source) in self.sources.iter().enumerate() {
            parts.push(format!("[{}] {}\n{}", at + 1, source.label, source.text));
        }
        parts.extend(self.facts.iter().map(|fact| format!("Fact: {fact}")));
        parts.join("\n\n")
    }
}

/// Counted tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tokens {
    /// Tokens read, those from a cache included.
    pub input: u64,
    /// Tokens written, those for reasoning included.
    pub output: u64,
    /// Of the tokens read, those that came from a cache.
    pub cached: u64,
    /// Of the tokens written, those that were reasoning.
    pub reasoning: u64,
}

/// What a model wrote.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Generation {
    /// The whole text.
    pub text: String,
    /// What it cost; `None` if the server did not say.
    pub tokens: Option<Tokens>,
    /// Why it ended, in the model's own word: `stop`, `length`.
    pub finish: Option<String>,
    /// From the request to the first piece of text.
    pub first_token: Option<Duration>,
    /// The server's id of the answer.
    pub response_id: Option<String>,
    /// The model that the server says it used.
    pub response_model: Option<String>,
}

/// Takes each piece of an answer as it comes.
pub(crate) type OnText<'a> = dyn FnMut(&str) + Send + 'a;

/// A source of text.
#[async_trait]
pub(crate) trait Model: fmt::Debug + Send + Sync {
    /// The model's name, as it is asked for.
    fn name(&self) -> &str;

    /// Who runs it.
    fn provider(&self) -> &str;

    /// Writes an answer and hands each piece to `on_text` as it comes.
    async fn generate(&self, prompt: &Prompt, on_text: &mut OnText<'_>) -> Result<Generation, ModelError>;
}

/// Why a model gave no answer.
#[derive(Debug)]
pub(crate) enum ModelError {
    /// The address, the key or the client cannot work.
    Config(String),
    /// The server could not be reached, or the connection broke.
    Transport(String),
    /// The server refused; the start of its answer is quoted.
    Status { status: u16, body: String },
    /// The server's answer is not what the protocol says.
    Protocol(String),
    /// The answer exceeded the size that the demo takes, in bytes.
    TooLarge(usize),
    /// The answer was not complete in time.
    Deadline(Duration),
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(why) | Self::Transport(why) | Self::Protocol(why) => f.write_str(why),
            Self::Status { status, body } if body.is_empty() => {
                write!(f, "the model server answered {status} without a text")
            }
            Self::Status { status, body } => write!(f, "the model server answered {status}: {body}"),
            Self::TooLarge(limit) => write!(f, "the answer is larger than {limit} bytes and was cut off"),
            Self::Deadline(limit) => write!(f, "the answer was not complete within {} s", limit.as_secs()),
        }
    }
}

impl std::error::Error for ModelError {}

impl ModelError {
    /// A short stable name of the cause.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Config(_) => "config",
            Self::Transport(_) => "transport",
            Self::Status { .. } => "status",
            Self::Protocol(_) => "protocol",
            Self::TooLarge(_) => "too_large",
            Self::Deadline(_) => "deadline",
        }
    }
}
