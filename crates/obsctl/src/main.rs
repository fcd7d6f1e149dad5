#![doc = include_str!("../README.md")]

mod cli;
mod demo;

use clap::Parser as _;

fn main() {
    let _ = cli::Cli::parse();
}
