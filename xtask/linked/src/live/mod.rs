//! Sends the fixtures to the real service of a vendor, reads them back through its API, and compares.
//!
//! A vendor is a file and a line in [`VENDORS`].

mod api;
mod braintrust;
mod fresh;
mod langfuse;
mod langsmith;
mod prove;

use std::fmt::Debug;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use obs_core::{Env, Trace};
use obs_pipeline::{Clock, DestinationSpec};
use uuid::Uuid;

use crate::platform::{Item, Platform};
use prove::Patience;

pub(crate) use fresh::{records, trace as fresh_trace};
pub(crate) use prove::record;

/// Which service, and how long it may take to show what it was sent.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The exporter: langfuse, braintrust or langsmith.
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
    open: fn(Env) -> Result<Box<dyn Vendor>>,
}

const VENDORS: &[Listed] = &[
    Listed {
        name: "langfuse",
        variables: &[&["LANGFUSE_PUBLIC_KEY"], &["LANGFUSE_SECRET_KEY"]],
        open: |env| Ok(Box::new(langfuse::LangfuseApi::open(env)?)),
    },
    Listed {
        name: "braintrust",
        variables: &[&["BRAINTRUST_API_KEY"]],
        open: |env| Ok(Box::new(braintrust::BraintrustApi::open(env)?)),
    },
    Listed {
        name: "langsmith",
        variables: &[&["LANGSMITH_API_KEY", "LANGCHAIN_API_KEY"]],
        open: |env| Ok(Box::new(langsmith::LangsmithApi::open(env)?)),
    },
];

/// Sends, reads back and compares; without keys it says which are missing, and that is no failure.
pub(crate) fn run(options: &Options) -> Result<()> {
    let listed = listed(&options.exporter)?;
    let env = Env::process();
    let missing = missing(listed, &env)?;
    if !missing.is_empty() {
        println!("{}: not run, since {} not set", listed.name, missing);
        return Ok(());
    }
    let vendor = (listed.open)(env)?;
    let now = Clock::system().now();
    let sent = fresh::trace(Uuid::now_v7().as_u128(), now);
    println!("{}: sending trace {}", listed.name, sent.trace_id);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("no runtime; is the machine out of threads?")?;
    let patience = Patience { total: Duration::from_secs(options.wait), pause: Duration::from_secs(3) };
    prove::send(&*vendor, &sent)?;
    runtime.block_on(prove::read(&*vendor, &sent, patience))?;
    println!("put this line into docs/exporters/{}.md:\n", listed.name);
    println!("{}", last_run(listed.name, &sent, &now.rfc3339().to_string()));
    Ok(())
}

/// The exporter of a vendor, configured by the vendor's variables in `env`.
pub(crate) fn destination(name: &str, env: Env) -> Result<DestinationSpec> {
    (listed(name)?.open)(env)?.destination()
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
fn last_run(name: &str, sent: &Trace, at: &str) -> String {
    let Trace { spans, logs, scores, feedback, .. } = sent;
    let logs = if name == "langsmith" { String::new() } else { format!("{} logs, ", logs.len()) };
    format!(
        "Last run of `cargo xtask live {name}` against the real service: {}, obs {}; {} spans, {logs}{} scores and {} feedback \
         were read back as they were sent.",
        &at[..10],
        env!("CARGO_PKG_VERSION"),
        spans.len(),
        scores.len(),
        feedback.len(),
    )
}

#[cfg(test)]
mod tests;
