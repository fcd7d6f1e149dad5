#![doc = include_str!("../README.md")]

mod cli;
mod demo;
mod dlq;
mod freshness;
mod import;
mod output;
mod queue;
mod sink;
mod table;
mod telemetry;
mod traces;

use std::process::ExitCode;

use clap::Parser as _;
use obs_console::{Color, Output, RenderOptions};

use cli::{Cli, Command};
use output::Done;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(done) => done.into(),
        // Whoever read the output has seen enough: `obsctl traces list | head`.
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::say(&format!("obsctl: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<Done> {
    let color = if cli.no_color { Color::Never } else { Color::Auto };
    let options = RenderOptions::detect(color, Output::Stdout);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match cli.command {
        Command::Demo(args) => runtime.block_on(demo::run(args, &options)),
        Command::Import(args) => import::run(&args),
        Command::Traces(command) => runtime.block_on(traces::run(command, &options)),
        Command::Queue(command) => runtime.block_on(queue::run(command)),
        Command::Dlq(command) => runtime.block_on(dlq::run(command)),
        Command::Freshness(args) => runtime.block_on(freshness::run(&args)),
    }
}
