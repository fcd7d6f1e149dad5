//! Sends the fixtures to the real service of a vendor, reads them back through its API, and compares.
//!
//! A vendor is a file and a line in [`VENDORS`].

mod api;
mod braintrust;
mod datadog;
mod file;
mod fresh;
mod langfuse;
mod langsmith;
mod newrelic;
mod prove;
mod sighted;

use std::fmt::Debug;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use async_trait::async_trait;
use obs_core::{Env, Exporter, Trace};
use obs_mastra::{MastraConfig, MastraExporter};
use obs_pipeline::{Clock, DestinationSpec};
use obs_webhook::{WebhookConfig, WebhookExporter};
use uuid::Uuid;

use crate::platform::{Item, Platform};
use prove::Patience;
use sighted::Sighted;

pub(crate) use fresh::{records, trace as fresh_trace};
pub(crate) use prove::record;

/// Which service, and how long it may take to show what it was sent.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The exporter: langfuse, braintrust, langsmith, datadog, newrelic, mastra, webhook or file.
    exporter: String,
    /// How many seconds the service may take to show all of it.
    #[arg(long, default_value_t = 90)]
    wait: u64,
}

/// A service with an account of ours.
#[async_trait]
pub(crate) trait Vendor: Debug + Send + Sync {
    /// How it keeps records.
    fn platform(&self) -> &'static dyn Platform;
    /// Its exporter, configured by the vendor's own variables.
    fn destination(&self) -> Result<DestinationSpec>;
    /// What its API has of a trace, whatever came under its ids.
    async fn found(&self, sent: &Trace) -> Result<Vec<Item>>;
}

/// A vendor that `cargo xtask live` knows.
#[derive(Debug)]
struct Listed {
    name: &'static str,
    /// What must be set; of several names one.
    variables: &'static [&'static [&'static str]],
    proof: Proof,
}

/// What is known after a run.
#[derive(Debug)]
enum Proof {
    /// Its API tells all of what it has: every field that the platform keeps is compared.
    Whole(fn(Env) -> Result<Box<dyn Vendor>>),
    /// Its API tells which records it has, under which ids.
    Sighted(fn(Env) -> Result<Box<dyn Sighted>>),
    /// Nothing that is known can be asked: all that is sent was accepted, and no more is known.
    Accepted(fn(&Env) -> Result<DestinationSpec>),
}

const VENDORS: &[Listed] = &[
    Listed {
        name: "langfuse",
        variables: &[&["LANGFUSE_PUBLIC_KEY"], &["LANGFUSE_SECRET_KEY"]],
        proof: Proof::Whole(|env| Ok(Box::new(langfuse::LangfuseApi::open(env)?))),
    },
    Listed {
        name: "braintrust",
        variables: &[&["BRAINTRUST_API_KEY"]],
        proof: Proof::Whole(|env| Ok(Box::new(braintrust::BraintrustApi::open(env)?))),
    },
    Listed {
        name: "langsmith",
        variables: &[&["LANGSMITH_API_KEY", "LANGCHAIN_API_KEY"]],
        proof: Proof::Whole(|env| Ok(Box::new(langsmith::LangsmithApi::open(env)?))),
    },
    Listed {
        name: "datadog",
        variables: &[&["DD_API_KEY", "DATADOG_API_KEY"], &["DD_APP_KEY", "DATADOG_APP_KEY"]],
        proof: Proof::Sighted(|env| Ok(Box::new(datadog::DatadogApi::open(env)?))),
    },
    Listed {
        name: "newrelic",
        variables: &[&["NEW_RELIC_LICENSE_KEY"], &["NEW_RELIC_ACCOUNT_ID"], &["NEW_RELIC_API_KEY"]],
        proof: Proof::Sighted(|env| Ok(Box::new(newrelic::NewRelicApi::open(env)?))),
    },
    Listed {
        name: "mastra",
        variables: &[&["MASTRA_PLATFORM_ACCESS_TOKEN", "MASTRA_CLOUD_ACCESS_TOKEN"]],
        proof: Proof::Accepted(|env| made(MastraConfig::from_vars(env).and_then(MastraExporter::new))),
    },
    Listed {
        name: "webhook",
        variables: &[&["OBS_WEBHOOK_URL", "OBS_WEBHOOK_ENDPOINT"]],
        proof: Proof::Accepted(|env| made(WebhookConfig::from_vars(env).and_then(WebhookExporter::new))),
    },
    Listed {
        name: "file",
        variables: &[&["OBS_FILE_OUTPUT_DIRECTORY"]],
        proof: Proof::Sighted(|env| Ok(Box::new(file::Folder::open(env)?))),
    },
];

fn made(exporter: Result<impl Exporter, obs_core::Error>) -> Result<DestinationSpec> {
    exporter.map(DestinationSpec::new).map_err(|error| anyhow!("{error}"))
}

/// Sends, reads back what can be read and compares; without keys it says which are missing, and that is no failure.
pub(crate) fn run(options: &Options) -> Result<()> {
    let listed = listed(&options.exporter)?;
    let env = Env::process();
    let missing = missing(listed, &env)?;
    if !missing.is_empty() {
        println!("{}: not run, since {} not set", listed.name, missing);
        return Ok(());
    }
    let now = Clock::system().now();
    let sent = fresh::trace(Uuid::now_v7().as_u128(), now);
    println!("{}: sending trace {}", listed.name, sent.trace_id);
    let patience = Patience { total: Duration::from_secs(options.wait), pause: Duration::from_secs(3) };
    let known = prove(listed, env, &sent, patience)?;
    println!("put this line into docs/exporters/{}.md:\n", listed.name);
    println!("{}", last_run(listed.name, &sent, &now.rfc3339().to_string(), known));
    Ok(())
}

/// What is known of what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// All was read back.
    Read,
    /// It was read back but for this.
    ReadBut(&'static str),
    /// It was accepted.
    Accepted,
}

/// Sends the trace, and finds out as much as there is to know of it.
fn prove(listed: &Listed, env: Env, sent: &Trace, patience: Patience) -> Result<Known> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("no runtime; is the machine out of threads?")?;
    match &listed.proof {
        Proof::Whole(open) => {
            let vendor = open(env)?;
            prove::send(listed.name, vendor.destination()?, sent)?;
            runtime.block_on(prove::read(&*vendor, sent, patience))?;
            Ok(Known::Read)
        }
        Proof::Sighted(open) => {
            let service = open(env)?;
            prove::send(listed.name, service.destination()?, sent)?;
            runtime.block_on(prove::sight(listed.name, &*service, sent, patience))?;
            Ok(if service.unread().is_empty() { Known::Read } else { Known::ReadBut(service.unread()) })
        }
        Proof::Accepted(open) => {
            prove::send(listed.name, open(&env)?, sent)?;
            println!("{}: all of it was accepted; no API to read it back is known", listed.name);
            Ok(Known::Accepted)
        }
    }
}

/// The exporter of a vendor, configured by the vendor's variables in `env`.
pub(crate) fn destination(name: &str, env: Env) -> Result<DestinationSpec> {
    match &listed(name)?.proof {
        Proof::Whole(open) => open(env)?.destination(),
        Proof::Sighted(open) => open(env)?.destination(),
        Proof::Accepted(open) => open(&env),
    }
}

fn listed(name: &str) -> Result<&'static Listed> {
    let Some(listed) = VENDORS.iter().find(|listed| listed.name == name) else {
        let known: Vec<_> = VENDORS.iter().map(|listed| listed.name).collect();
        bail!("there is no service called `{name}`; the services are {}", known.join(", "));
    };
    Ok(listed)
}

/// The variables that are not set, as words, or nothing.
fn missing(listed: &Listed, env: &Env) -> Result<String> {
    let mut missing = Vec::new();
    for names in listed.variables {
        if env.first(names)?.is_none() {
            missing.push(names.join(" or "));
        }
    }
    let verb = if missing.len() > 1 { "are" } else { "is" };
    Ok(if missing.is_empty() { String::new() } else { format!("{} {verb}", missing.join(" and ")) })
}

/// The line for the docs; `at` is the time as RFC 3339 has it.
fn last_run(name: &str, sent: &Trace, at: &str, known: Known) -> String {
    let Trace { spans, logs, scores, feedback, .. } = sent;
    let logs = if name == "langsmith" { String::new() } else { format!("{} logs, ", logs.len()) };
    let outcome = match known {
        Known::Read => "were read back as they were sent".to_owned(),
        Known::ReadBut(rest) => format!("were accepted, and read back by their ids but for {rest}"),
        Known::Accepted => "were accepted; no API to read them back is known".to_owned(),
    };
    format!(
        "Last run of `cargo xtask live {name}` against the real service: {}, obs {}; {} spans, {logs}{} scores and {} feedback \
         {outcome}.",
        &at[..10],
        env!("CARGO_PKG_VERSION"),
        spans.len(),
        scores.len(),
        feedback.len(),
    )
}

#[cfg(test)]
mod tests;
