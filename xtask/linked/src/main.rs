#![doc = include_str!("../README.md")]

mod demo;
mod exporters;
mod files;
mod found;
mod matrix;

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
    /// Runs the demo twice, and holds its two files against each other.
    Demo,
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
        Chore::Demo => demo::run(),
    }
}
