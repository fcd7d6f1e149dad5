//! The steps of `cargo xtask ci`. A new step is a line here.

/// A step.
#[derive(Debug)]
pub(crate) struct Step {
    /// What `--only` and the summary call it.
    pub(crate) name: &'static str,
    /// What it is for.
    pub(crate) why: &'static str,
    /// What it does.
    pub(crate) work: Work,
}

/// What a step does.
#[derive(Debug)]
pub(crate) enum Work {
    /// Runs cargo.
    Cargo {
        /// Behind `cargo`.
        arguments: &'static [&'static str],
        /// Set for this run alone.
        environment: &'static [(&'static str, &'static str)],
    },
    /// Runs examples, each to its end.
    Examples(&'static [Example]),
    /// Runs a chore that links the product.
    Linked(&'static [&'static str]),
    /// Breaks what can break.
    Chaos(&'static [&'static str]),
    /// Runs a program of the registry, installed below the target directory when it is not there.
    Tool {
        /// The crate, and the program it installs.
        name: &'static str,
        /// The one version that we check with.
        version: &'static str,
        /// Its arguments.
        arguments: &'static [&'static str],
    },
    /// Checks the rules of the house.
    Tidy,
    /// Compiles and tests what `cargo xtask new` writes.
    New,
    /// Holds docs/options.md against the config structs.
    Options,
    /// Runs the commands that the READMEs show.
    Readme,
}

/// An example that proves what its page says.
#[derive(Debug)]
pub(crate) struct Example {
    /// The crate.
    pub(crate) package: &'static str,
    /// Its name for cargo.
    pub(crate) name: &'static str,
    /// The features it needs, with commas.
    pub(crate) features: &'static str,
}

const fn example(package: &'static str, name: &'static str, features: &'static str) -> Example {
    Example { package, name, features }
}

const fn step(name: &'static str, why: &'static str, work: Work) -> Step {
    Step { name, why, work }
}

const fn cargo(arguments: &'static [&'static str]) -> Work {
    Work::Cargo { arguments, environment: &[] }
}

/// The version of cargo-deny that we check with.
const CARGO_DENY: &str = "0.20.2";

/// The features of obs-otel, which are off by default.
const OTEL: &str = "grpc,sdk,sdk-exporter";

/// The features of the producing side, which are off by default.
const PRODUCING: &str =
    "obs-instrument/http,obs-instrument/tower,obs-instrument/opentelemetry,obs-tracing/log";

/// What the producing side shows by running it.
const EXAMPLES: &[Example] = &[
    example("obs-instrument", "instrument-registry", ""),
    example("obs-instrument", "instrument-observe", ""),
    example("obs-instrument", "instrument-tower", "tower"),
    example("obs-instrument", "instrument-client", "tower"),
    example("obs-instrument", "instrument-beside", "opentelemetry"),
    example("obs-tracing", "tracing-axum", ""),
    example("obs-tracing", "tracing-genai", ""),
];

/// What every change passes, cheapest first, so that a simple mistake is told soon.
pub(crate) const STEPS: &[Step] = &[
    step("fmt", "the code is formatted", cargo(&["fmt", "--all", "--check"])),
    step("tidy", "the rules of the house hold", Work::Tidy),
    step(
        "deny",
        "licences, bans and sources of what we depend on",
        Work::Tool {
            name: "cargo-deny",
            version: CARGO_DENY,
            arguments: &["check", "licenses", "bans", "sources"],
        },
    ),
    step(
        "clippy",
        "no lint complains",
        cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    ),
    step(
        "features",
        "what is off by default passes its tests",
        cargo(&["test", "--package", "obs-otel", "--features", OTEL, "--quiet"]),
    ),
    step(
        "features-clippy",
        "no lint complains of what is off by default",
        cargo(&[
            "clippy",
            "--package",
            "obs-otel",
            "--features",
            OTEL,
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]),
    ),
    step(
        "producing",
        "what the producing side has off by default passes its tests",
        cargo(&[
            "test",
            "--package",
            "obs-instrument",
            "--package",
            "obs-tracing",
            "--features",
            PRODUCING,
            "--quiet",
        ]),
    ),
    step(
        "producing-clippy",
        "no lint complains of what the producing side has off by default",
        cargo(&[
            "clippy",
            "--package",
            "obs-instrument",
            "--package",
            "obs-tracing",
            "--features",
            PRODUCING,
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]),
    ),
    step(
        "examples",
        "the registry, the macro, the layers and the client helper record what their examples say",
        Work::Examples(EXAMPLES),
    ),
    step(
        "features-sdk",
        "spans and logs of an OpenTelemetry SDK go through obs and out by the SDK's own exporters",
        cargo(&["run", "--quiet", "--package", "obs-otel", "--features", OTEL, "--example", "otel-sdk"]),
    ),
    step(
        "doc",
        "the documentation builds and its links resolve",
        Work::Cargo {
            arguments: &["doc", "--workspace", "--no-deps"],
            environment: &[("RUSTDOCFLAGS", "-D warnings")],
        },
    ),
    step(
        "matrix",
        "signal-matrix.md and the README's table are what the descriptors say",
        Work::Linked(&["matrix", "--check"]),
    ),
    step(
        "dashboard",
        "Grafana's dashboard asks for the metrics that the code makes",
        Work::Linked(&["dashboard", "--check"]),
    ),
    step("options", "docs/options.md is what the config structs say", Work::Options),
    step(
        "package",
        "every published crate packs",
        cargo(&[
            "package",
            "--workspace",
            "--exclude",
            "xtask",
            "--exclude",
            "xtask-linked",
            "--no-verify",
            "--allow-dirty",
            "--quiet",
        ]),
    ),
    step(
        "demo",
        "the demo runs twice and both files hold all five signals with the same ids",
        Work::Linked(&["demo"]),
    ),
    step(
        "platforms",
        "all of the demo and of recorded telemetry reaches the three LLM platforms at once, by the requests themselves",
        Work::Linked(&["platforms"]),
    ),
    step(
        "arrivals",
        "every exporter at once: what arrived is what signal-matrix.md says, under the same ids",
        Work::Linked(&["arrivals"]),
    ),
    step(
        "leaks",
        "of secrets planted in every string of 10,000 records none leaves through any exporter or stays on disk",
        Work::Linked(&["leaks"]),
    ),
    step(
        "e2e",
        "what real backends on this machine took is read back equal to what was recorded",
        Work::Linked(&["e2e"]),
    ),
    step(
        "freshness",
        "a span is readable within a second of its end (p95)",
        cargo(&["run", "--quiet", "--release", "--package", "obsctl", "--", "freshness"]),
    ),
    step(
        "chaos",
        "no law breaks while destinations hang, processes die and disks fail",
        Work::Chaos(&["--quick"]),
    ),
    step("readme", "every command of the READMEs runs", Work::Readme),
];

/// What is too slow for every change, or needs more than a registry.
pub(crate) const NIGHTLY: &[Step] = &[
    step(
        "packages",
        "each package is built from what it packs, not from the clone",
        cargo(&[
            "package",
            "--workspace",
            "--exclude",
            "xtask",
            "--exclude",
            "xtask-linked",
            "--allow-dirty",
        ]),
    ),
    step(
        "official-client",
        "obs-datadog sends by Datadog's own client what it sends by itself; many minutes and 7 GB to build",
        Work::Cargo {
            arguments: &["test", "--package", "obs-datadog", "--features", "official-client", "--quiet"],
            environment: &[("CARGO_BUILD_JOBS", "1")],
        },
    ),
    step("new", "what `cargo xtask new` writes compiles and passes", Work::New),
    step(
        "advisories",
        "no dependency has a known vulnerability",
        Work::Tool { name: "cargo-deny", version: CARGO_DENY, arguments: &["check", "advisories"] },
    ),
    step(
        "chaos",
        "no law breaks in ten minutes of trouble; says how far the goals are reached",
        Work::Chaos(&["--json"]),
    ),
    step(
        "bench",
        "the benchmarks against the peers run",
        cargo(&["run", "--release", "--manifest-path", "bench/Cargo.toml"]),
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::project::workspace_root;

    #[test]
    fn names_are_distinct() {
        for steps in [STEPS, NIGHTLY] {
            let names: BTreeSet<_> = steps.iter().map(|step| step.name).collect();
            assert_eq!(names.len(), steps.len());
        }
    }

    #[test]
    fn the_examples_are_there() {
        for Example { package, name, features } in EXAMPLES {
            let manifest = workspace_root().join("crates").join(package).join("Cargo.toml");
            let manifest = std::fs::read_to_string(manifest).unwrap();
            let entry = manifest.split("[[example]]").find(|entry| entry.contains(&format!("\"{name}\"")));
            let entry = entry.unwrap_or_else(|| panic!("{package} has no example {name}"));
            assert_eq!(entry.contains("required-features"), !features.is_empty(), "{name}");
        }
    }

    #[test]
    fn the_workflow_runs_every_step() {
        let workflow = std::fs::read_to_string(workspace_root().join(".github/workflows/ci.yml")).unwrap();
        let line = workflow.lines().find(|line| line.trim_start().starts_with("steps: [")).unwrap();
        let run: BTreeSet<_> =
            line.split('"').skip(1).step_by(2).flat_map(str::split_ascii_whitespace).collect();
        let steps: BTreeSet<_> = STEPS.iter().map(|step| step.name).collect();
        assert_eq!(run, steps);
    }
}
