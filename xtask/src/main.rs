#![doc = include_str!("../README.md")]

mod ci;
mod command;
mod finding;
mod laws;
mod markdown;
mod new;
mod options;
mod project;
mod rendered;
mod tidy;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::rendered::Mode;

/// The chores of the obs workspace.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Checks the rules of the house that no compiler checks.
    Tidy,
    /// Writes the names of the tests beside the laws that they carry, in docs/architecture.md.
    Laws,
    /// Writes the skeleton of an exporter crate.
    New {
        /// The vendor in small letters, such as `langfuse` or `new-vendor`.
        name: String,
    },
    /// Runs everything that a change must pass, but the tests.
    Ci(ci::Options),
    /// Writes signal-matrix.md and the README's table from the descriptors.
    Matrix(Render),
    /// Writes Grafana's dashboard of the metrics that obs makes from their catalogues.
    Dashboard(Render),
    /// Writes docs/options.md from the config structs.
    Options(Render),
    /// Breaks what can break, and holds what becomes of the records against the laws.
    #[command(disable_help_flag = true)]
    Chaos {
        /// Given on; `--help` tells what there is.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Sends the fixtures to a vendor's real service, reads them back and compares; needs the vendor's keys.
    #[command(disable_help_flag = true)]
    Live {
        /// Given on; `--help` tells what there is.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Sends the demo and the fixtures into real backends on this machine, reads them back and compares.
    #[command(disable_help_flag = true)]
    E2e {
        /// Given on; `--help` tells what there is.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Sends real and recorded telemetry to stand-ins of the LLM platforms, and holds the requests against the source.
    Platforms,
    /// Sends all signals through every exporter at once, and holds what arrived against signal-matrix.md.
    Arrivals,
    /// Plants secrets in every string of 10,000 records, sends them through every exporter, and finds none in what left.
    Leaks,
}

#[derive(Debug, clap::Args)]
struct Render {
    /// Compares instead of writing, and fails at a difference.
    #[arg(long)]
    check: bool,
}

impl Render {
    fn mode(&self) -> Mode {
        if self.check { Mode::Check } else { Mode::Write }
    }
}

fn main() -> ExitCode {
    match run(Arguments::parse().chore) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(chore: Chore) -> Result<()> {
    match chore {
        Chore::Tidy => tidy::run(),
        Chore::Laws => laws::run(),
        Chore::New { name } => new::run(&name),
        Chore::Ci(options) => ci::run(&options),
        Chore::Matrix(render) if render.check => ci::linked(&["matrix", "--check"]),
        Chore::Matrix(_) => ci::linked(&["matrix"]),
        Chore::Dashboard(render) if render.check => ci::linked(&["dashboard", "--check"]),
        Chore::Dashboard(_) => ci::linked(&["dashboard"]),
        Chore::Options(render) => options::run(render.mode()),
        Chore::Chaos { arguments } => ci::chaos(&arguments),
        Chore::Live { arguments } => ci::linked(&[&["live"][..], &words(&arguments)].concat()),
        Chore::E2e { arguments } => ci::linked(&[&["e2e"][..], &words(&arguments)].concat()),
        Chore::Platforms => ci::linked(&["platforms"]),
        Chore::Arrivals => ci::linked(&["arrivals"]),
        Chore::Leaks => ci::linked(&["leaks"]),
    }
}

fn words(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}
