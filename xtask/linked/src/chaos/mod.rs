//! Breaks what can break, for as long as it takes, and holds what becomes of the records against the laws.

mod child;
mod crash;
mod deliveries;
mod dice;
mod disk;
mod isolation;
mod load;
mod memory;
mod numbered;
mod report;
mod shutdown;
mod sink;
mod throughput;

use std::time::Duration;

use anyhow::{Result, bail, ensure};

use dice::Dice;
use report::{Section, Summary, Verdict};

pub(crate) use child::{Role, run as play};

/// How long and how often.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Two minutes instead of ten, for every change.
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// The long form.
    #[arg(long)]
    full: bool,
    /// What chance follows; printed at the start, another one each time by default.
    #[arg(long)]
    seed: Option<u64>,
    /// Runs these sections alone.
    #[arg(long, value_name = "SECTION")]
    only: Vec<String>,
    /// Ends with one line of JSON.
    #[arg(long)]
    json: bool,
}

/// How much of everything.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    form: &'static str,
    /// How long each phase of the isolation section lasts.
    pub(crate) phase: Duration,
    /// How long the overload lasts.
    pub(crate) overload: Duration,
    pub(crate) kills: u64,
    /// How many records the killed children make between them, at least.
    pub(crate) crash_records: u64,
    /// How many pipelines are shut down side by side.
    pub(crate) instances: usize,
    pub(crate) shutdown: Duration,
    /// How long a disk stays broken.
    pub(crate) outage: Duration,
    /// How many records pass the disk.
    pub(crate) passing: u64,
}

impl Plan {
    fn of(options: &Options) -> Self {
        let seed = options.seed.unwrap_or_else(Dice::any_seed);
        let normal = Self {
            seed,
            form: "default",
            phase: Duration::from_secs(30),
            overload: Duration::from_secs(30),
            kills: 200,
            crash_records: 20_000,
            instances: 100,
            shutdown: Duration::from_secs(5),
            outage: Duration::from_secs(10),
            passing: 500_000,
        };
        if options.quick {
            let (second, short) = (Duration::from_secs(1), Duration::from_secs(4));
            Self {
                form: "quick",
                phase: short,
                overload: short,
                kills: 10,
                crash_records: 1_000,
                instances: 10,
                shutdown: second,
                outage: second,
                passing: 40_000,
                ..normal
            }
        } else if options.full {
            let (half, minute) = (Duration::from_secs(30), Duration::from_mins(1));

            Self {
                form: "full",
                phase: minute,
                overload: minute,
                kills: 500,
                crash_records: 100_000,
                outage: half,
                passing: 1_000_000,
                ..normal
            }
        } else {
            normal
        }
    }
}

type Work = fn(&Plan, &mut Section) -> Result<()>;

/// What is measured: the name for `--only`, the law, and how.
const SECTIONS: &[(&str, &str, Work)] = &[
    ("isolation", "law 3, isolation", isolation::run),
    ("memory", "law 2, the host is safe: memory", memory::run),
    ("crash", "law 1, accounting, and the promise of the queue on disk", crash::run),
    ("shutdown", "law 2, the host is safe: deadlines", shutdown::run),
    ("disk", "law 2, the host is safe: disks", disk::run),
    ("throughput", "the goal of the queue on disk", throughput::run),
];

/// Runs the sections, all of them even if one breaks its law.
pub(crate) fn run(options: &Options) -> Result<()> {
    let plan = Plan::of(options);
    println!("chaos: seed {}, {} form", plan.seed, plan.form);
    let known = SECTIONS.iter().map(|(name, ..)| *name).collect::<Vec<_>>();
    for name in &options.only {
        let is_known = known.contains(&name.as_str());
        ensure!(is_known, "there is no section `{name}`; the sections are {}", known.join(", "));
    }
    let mut sections = Vec::new();
    for (name, law, work) in SECTIONS {
        if !options.only.is_empty() && !options.only.iter().any(|only| only == name) {
            continue;
        }
        let mut section = Section::begin(name, law);
        if let Err(error) = work(&plan, &mut section) {
            section.law("the section came to its end", format!("{error:#}"), "no error", false);
        }
        sections.push(section);
    }
    conclude(options, &plan, &sections)
}

fn conclude(options: &Options, plan: &Plan, sections: &[Section]) -> Result<()> {
    let named = |verdict| {
        let found = sections.iter().filter(|section| section.has(verdict));
        found.map(|section| format!("{} ({})", section.name(), section.law_name())).collect::<Vec<_>>()
    };
    println!();
    for (verdict, what) in [(Verdict::Missed, "missed"), (Verdict::Skipped, "skipped")] {
        let found = named(verdict);
        if !found.is_empty() {
            println!("{what}: something in {}", found.join(", "));
        }
    }
    if options.json {
        let load_average = std::fs::read_to_string("/proc/loadavg").ok();
        let load_average = load_average.map(|text| text.trim().to_owned());
        let summary = Summary { seed: plan.seed, form: plan.form, load_average, sections };
        println!("{}", serde_json::to_string(&summary)?);
    }
    let broken = named(Verdict::Broken);
    if !broken.is_empty() {
        bail!("broken: {}; run it again with `--seed {}`", broken.join(", "), plan.seed);
    }
    println!("no law was broken");
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn plan(words: &[&str]) -> Plan {
        let words = [&["chaos"], words].concat();
        Plan::of(&Line::parse_from(words).options)
    }

    #[test]
    fn a_longer_form_does_more_of_everything() {
        let [quick, normal, full] = [&["--quick"] as &[&str], &[], &["--full"]].map(plan);
        for (less, more) in [(&quick, &normal), (&normal, &full)] {
            assert!(less.phase < more.phase && less.overload < more.overload && less.kills < more.kills);
            assert!(less.outage < more.outage && less.passing < more.passing);
        }
    }

    #[test]
    fn a_given_seed_is_taken() {
        assert_eq!(plan(&["--seed", "7"]).seed, 7);
    }
}
