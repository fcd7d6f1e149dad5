//! The arguments of `obsctl`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

mod waiting;

pub(crate) use waiting::{
    DlqCommand, DlqFilter, DlqListArgs, DlqPurgeArgs, DlqReplayArgs, DlqShowArgs, DrainArgs, QueueArgs,
    QueueCommand, Since,
};

/// Telemetry of AI applications on the command line.
#[derive(Debug, Parser)]
#[command(name = "obsctl", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// No colours; `NO_COLOR` in the environment does the same.
    #[arg(long, global = true)]
    pub no_color: bool,
}

const EXIT_CODES: &str =
    "Exit codes: 0 all well, 1 failure, 2 wrong usage, 3 done in part (some input was refused).";

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs a real agent over the files of a directory and shows its trace.
    Demo(DemoArgs),
    /// Imports OTLP/JSON files into a store and a JSON Lines file.
    Import(ImportArgs),
    /// Lists and shows stored traces.
    #[command(subcommand)]
    Traces(TracesCommand),
    /// Shows, checks and empties what waits on disk for destinations.
    #[command(subcommand)]
    Queue(QueueCommand),
    /// Lists, shows, tries again and removes records that destinations rejected.
    #[command(subcommand)]
    Dlq(DlqCommand),
    /// Measures how soon an ended span can be read back; fails if the 95th percentile exceeds one second.
    #[command(hide = true)]
    Freshness(FreshnessArgs),
}

/// `obsctl demo`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  obsctl demo\n  obsctl demo src --question \"Where are errors handled?\"\n  \
    obsctl demo --base-url http://localhost:11434/v1 --model llama3.2 --feedback up"
)]
pub(crate) struct DemoArgs {
    /// The directory to ask about: its .md, .txt and .rs files [default: ./docs, or else the current directory].
    pub dir: Option<PathBuf>,
    /// What to ask; by default something about delivery, or in a directory of yours about its main parts.
    #[arg(long, value_name = "TEXT")]
    pub question: Option<String>,
    /// Where telemetry.jsonl, obs.db and memory.json are written.
    #[arg(long, default_value = "obs-demo")]
    pub out: PathBuf,
    /// An OpenAI-compatible server, up to its version; its key comes from OPENAI_API_KEY, if it needs one.
    #[arg(long, value_name = "URL", requires = "model")]
    pub base_url: Option<String>,
    /// The model to ask there; without a server a local extractive one is used.
    #[arg(long, value_name = "NAME", requires = "base_url")]
    pub model: Option<String>,
    /// A file of prices, by which costs are estimated; they count before the built-in ones. `OBS_PRICES` does the same.
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,
    /// What you think of the answer: up, down or a comment.
    #[arg(long, value_name = "up|down|TEXT")]
    pub feedback: Option<String>,
    /// Prints one JSON document instead of the tree.
    #[arg(long)]
    pub json: bool,
}

/// `obsctl import`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  obsctl import traces.jsonl logs.jsonl --out imported")]
pub(crate) struct ImportArgs {
    /// OTLP/JSON: one export request per line, or a single one.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Where telemetry.jsonl and obs.db are written.
    #[arg(long, default_value = "obs-import")]
    pub out: PathBuf,
    /// Estimates what model calls cost that do not say it, by this file of prices and the built-in ones.
    ///
    /// Without it nothing is estimated: what is imported stays as it was recorded.
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,
    /// Prints the counts as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `obsctl traces`.
#[derive(Debug, Subcommand)]
pub(crate) enum TracesCommand {
    /// Lists traces, newest first.
    List(ListArgs),
    /// Shows one trace as a tree, with durations, tokens, scores and logs.
    Show(ShowArgs),
}

/// Where stored traces are read.
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// The store to read.
    #[arg(long, value_name = "PATH", default_value = "obs-demo/obs.db")]
    pub db: PathBuf,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

/// `obsctl traces list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Where to read.
    #[command(flatten)]
    pub store: StoreArgs,
    /// At most this many.
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
    /// Only traces whose name, inputs, outputs or errors hold this text.
    #[arg(long)]
    pub text: Option<String>,
    /// Only traces that used this model.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Only traces of this session.
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
    /// Only traces that failed.
    #[arg(long)]
    pub failed: bool,
}

/// `obsctl traces show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The id of the trace, or its beginning if only one has it, or `latest`.
    pub id: String,
    /// Where to read.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// `obsctl freshness`.
#[derive(Debug, Args)]
pub(crate) struct FreshnessArgs {
    /// How many spans to measure.
    #[arg(long, default_value_t = 100)]
    pub spans: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_server_needs_a_model_and_a_model_a_server() {
        assert!(Cli::try_parse_from(["obsctl", "demo", "--base-url", "http://localhost/v1"]).is_err());
        assert!(Cli::try_parse_from(["obsctl", "demo", "--model", "m"]).is_err());
        assert!(Cli::try_parse_from(["obsctl", "demo", "--base-url", "http://h/v1", "--model", "m"]).is_ok());
    }

    #[test]
    fn an_import_needs_a_file() {
        assert!(Cli::try_parse_from(["obsctl", "import"]).is_err());
    }
}
