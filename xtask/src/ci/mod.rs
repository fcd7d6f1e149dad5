//! Everything that a change must pass, in one command.

mod readme;
mod steps;
mod summary;
mod tools;

use std::ffi::OsStr;

use anyhow::{Result, bail, ensure};

use crate::command;
use crate::project::workspace_root;
use crate::rendered::Mode;
use crate::{new, options, tidy};

use steps::{Example, NIGHTLY, STEPS, Step, Work};

/// What to run, and what to leave out.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Runs these steps alone.
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// Leaves these steps out.
    #[arg(long, value_name = "STEP")]
    skip: Vec<String>,
    /// Runs what is too slow for every change instead.
    #[arg(long)]
    nightly: bool,
    /// Prints the steps and what they are for.
    #[arg(long)]
    list: bool,
}

/// Runs the chosen steps in order, all of them even if one fails, and prints what came of each.
pub(crate) fn run(chosen: &Options) -> Result<()> {
    let all = if chosen.nightly { NIGHTLY } else { STEPS };
    if chosen.list {
        for step in all {
            println!("{:<10} {}", step.name, step.why);
        }
        return Ok(());
    }
    let steps = choose(all, &chosen.only, &chosen.skip)?;
    let mut outcomes = Vec::new();
    for step in steps {
        println!("\n==> {}: {}", step.name, step.why);
        let clock = quanta::Instant::now();
        let result = perform(&step.work);
        if let Err(error) = &result {
            println!("{error:#}");
        }
        outcomes.push(summary::Outcome { name: step.name, took: clock.elapsed(), error: result.err() });
    }
    print!("\n{}", summary::table(&outcomes));
    let failed: Vec<_> =
        outcomes.iter().filter(|outcome| outcome.error.is_some()).map(|outcome| outcome.name).collect();
    if !failed.is_empty() {
        let which = if chosen.nightly { "--nightly " } else { "" };
        bail!(
            "failed: {}; run one again with `cargo xtask ci {which}--only {}`",
            failed.join(", "),
            failed[0]
        );
    }
    Ok(())
}

fn choose(all: &'static [Step], only: &[String], skip: &[String]) -> Result<Vec<&'static Step>> {
    for name in only.iter().chain(skip) {
        let known: Vec<_> = all.iter().map(|step| step.name).collect();
        ensure!(
            known.contains(&name.as_str()),
            "there is no step `{name}`; the steps are {}",
            known.join(", ")
        );
    }
    let named = |names: &[String], step: &Step| names.iter().any(|name| name == step.name);
    Ok(all.iter().filter(|step| (only.is_empty() || named(only, step)) && !named(skip, step)).collect())
}

fn perform(work: &Work) -> Result<()> {
    let root = workspace_root();
    match work {
        Work::Cargo { arguments, environment } => {
            command::run(command::cargo(&root).args(*arguments).envs(environment.iter().copied()))
        }
        Work::Examples(all) => all.iter().try_for_each(example),
        Work::Linked(arguments) => linked(arguments),
        Work::Chaos(arguments) => chaos(arguments),
        Work::Tidy => tidy::run(),
        Work::Tool { name, version, arguments } => command::run(
            std::process::Command::new(tools::ensure(&root, name, version)?)
                .args(*arguments)
                .current_dir(&root),
        ),
        Work::New => new::prove(),
        Work::Options => options::run(Mode::Check),
        Work::Readme => readme::run(&root),
    }
}

/// Runs an example to its end; it fails where it does not see what it says.
fn example(example: &Example) -> Result<()> {
    let Example { package, name, features } = example;
    println!("{package}: {name}");
    let program = ["run", "--quiet", "--package", package, "--example", name, "--features", features];
    command::run(command::cargo(&workspace_root()).args(program))
}

/// Runs a chore that links the product, which is another crate so that this one builds in seconds.
pub(crate) fn linked(arguments: &[&str]) -> Result<()> {
    let root = workspace_root();
    command::run(
        command::cargo(&root).args(["run", "--quiet", "--package", "xtask-linked", "--"]).args(arguments),
    )
}

/// Runs the chore that breaks things, optimised, since it measures times.
pub(crate) fn chaos(arguments: &[impl AsRef<OsStr>]) -> Result<()> {
    let program = ["run", "--quiet", "--release", "--package", "xtask-linked", "--", "chaos"];
    command::run(command::cargo(&workspace_root()).args(program).args(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(only: &[&str], skip: &[&str]) -> Result<Vec<&'static str>> {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        Ok(choose(STEPS, &owned(only), &owned(skip))?.iter().map(|step| step.name).collect())
    }

    #[test]
    fn steps_are_chosen_in_their_own_order() {
        assert_eq!(names(&[], &[]).unwrap().len(), STEPS.len());
        assert_eq!(names(&["tidy", "fmt"], &[]).unwrap(), ["fmt", "tidy"]);
        assert_eq!(names(&["tidy", "fmt"], &["fmt"]).unwrap(), ["tidy"]);
    }

    #[test]
    fn an_unknown_step_is_refused_with_the_known_ones() {
        let message = names(&["fnt"], &[]).unwrap_err().to_string();
        assert!(message.starts_with("there is no step `fnt`; the steps are fmt, "), "{message}");
    }
}
