#![doc = include_str!("../README.md")]

mod arrivals;
mod chaos;
mod dashboard;
mod demo;
mod e2e;
mod exporters;
mod files;
mod found;
mod leaks;
mod live;
mod matrix;
mod platform;
mod platforms;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The chores of the obs workspace that link the product.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Writes signal-matrix.md and the README's table from the descriptors.
    Matrix {
        /// Compares instead of writing, and fails at a difference.
        #[arg(long)]
        check: bool,
    },
    /// Writes Grafana's dashboard of the metrics that obs makes from their catalogues.
    Dashboard {
        /// Compares instead of writing, and fails at a difference.
        #[arg(long)]
        check: bool,
    },
    /// Runs the demo twice, and holds its two files against each other.
    Demo,
    /// Breaks what can break, and holds what becomes of the records against the laws.
    Chaos(chaos::Options),
    /// Sends the fixtures to a vendor's real service, reads them back and compares; needs the vendor's keys.
    Live(live::Options),
    /// Sends all kinds of telemetry to stand-ins of the LLM platforms, and holds the requests against the source.
    Platforms,
    /// Sends all signals through every exporter at once, and holds what arrived against signal-matrix.md.
    Arrivals,
    /// Plants secrets in every string of 10,000 records, sends them through every exporter, and finds none in what left.
    Leaks,
    /// Sends the demo and the fixtures into real backends on this machine, reads them back and compares.
    E2e(e2e::Options),
    /// A process that chaos starts.
    #[command(hide = true)]
    ChaosChild {
        #[command(subcommand)]
        role: chaos::Role,
    },
}

fn main() -> ExitCode {
    match run(&Arguments::parse().chore) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(chore: &Chore) -> Result<()> {
    match chore {
        Chore::Matrix { check } => matrix::run(*check),
        Chore::Dashboard { check } => dashboard::run(*check),
        Chore::Demo => demo::run(),
        Chore::Chaos(options) => chaos::run(options),
        Chore::Live(options) => live::run(options),
        Chore::Platforms => platforms::run(),
        Chore::Arrivals => arrivals::run(),
        Chore::Leaks => leaks::run(),
        Chore::E2e(options) => e2e::run(options),
        Chore::ChaosChild { role } => chaos::play(role),
    }
}
