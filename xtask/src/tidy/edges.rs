//! A crate depends on strictly lower floors only, and only along the edges listed here.

use crate::finding::Finding;
use crate::project::{Member, Project, Use};
use crate::tidy::Rule;
use crate::tidy::packaging::line_of_dependency;

pub(crate) const RULE: Rule = Rule { name: "edges", check };

/// A crate's place in the house.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// The crate.
    pub(crate) name: &'static str,
    /// Its floor; an edge goes to a strictly lower one.
    pub(crate) floor: u8,
    /// What it is, which decides the shape of its folder.
    pub(crate) kind: Kind,
    /// The crates of ours that it may be built on.
    pub(crate) may_use: &'static [&'static str],
}

/// What a crate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A library that other crates build on.
    Library,
    /// An exporter: one backend, one shape of folder.
    Exporter,
    /// A program, never built on.
    Program,
}

/// The crate that only tests may use, and the chores that prove exporters, which are never published.
const TESTKIT: &str = "obs-testkit";
const PROVES: &str = "xtask-linked";

const fn room(name: &'static str, floor: u8, kind: Kind, may_use: &'static [&'static str]) -> Room {
    Room { name, floor, kind, may_use }
}

/// The house. A new crate gets a row here, which is the moment to ask whether the edge is right.
pub(crate) const HOUSE: &[Room] = &[
    room("obs-core", 0, Kind::Library, &[]),
    room("obs-redact", 0, Kind::Library, &[]),
    room("obs-instrument-macros", 0, Kind::Library, &[]),
    room("obs-http", 1, Kind::Library, &["obs-core", "obs-redact"]),
    room("obs-otlp", 1, Kind::Library, &["obs-core"]),
    room("obs-aggregate", 1, Kind::Library, &["obs-core"]),
    room("obs-pipeline", 2, Kind::Library, &["obs-core", "obs-redact", "obs-aggregate"]),
    room(TESTKIT, 2, Kind::Library, &["obs-core", "obs-http", "obs-otlp"]),
    room("obs-queue", 3, Kind::Library, &["obs-core", "obs-pipeline"]),
    room("obs-json", 3, Kind::Exporter, &["obs-core"]),
    room("obs-console", 3, Kind::Exporter, &["obs-core"]),
    room("obs-store", 3, Kind::Exporter, &["obs-core", "obs-http"]),
    room("obs-database", 3, Kind::Exporter, &["obs-core"]),
    room("obs-langfuse", 3, Kind::Exporter, &["obs-core", "obs-http", "obs-otlp"]),
    room("obs-braintrust", 3, Kind::Exporter, &["obs-core", "obs-http", "obs-otlp"]),
    room("obs-langsmith", 3, Kind::Exporter, &["obs-core", "obs-http", "obs-otlp"]),
    room("obs-otel", 3, Kind::Exporter, &["obs-core", "obs-http", "obs-otlp", "obs-pipeline"]),
    room("obs-prometheus", 3, Kind::Exporter, &["obs-core", "obs-http", "obs-aggregate"]),
    room("obs-webhook", 3, Kind::Exporter, &["obs-core", "obs-http"]),
    room("obs-mastra", 3, Kind::Exporter, &["obs-core", "obs-http"]),
    room("obs-grafana", 4, Kind::Exporter, &["obs-core", "obs-http", "obs-otlp", "obs-otel"]),
    room("obs-datadog", 4, Kind::Exporter, &["obs-core", "obs-http", "obs-otlp", "obs-otel"]),
    room("obs-newrelic", 4, Kind::Exporter, &["obs-core", "obs-http", "obs-otlp", "obs-otel"]),
    room("obs-file", 4, Kind::Exporter, &["obs-core", "obs-json"]),
    room(
        "obs-instrument",
        4,
        Kind::Library,
        &["obs-core", "obs-redact", "obs-instrument-macros", "obs-pipeline", "obs-queue"],
    ),
    room("obs-tracing", 5, Kind::Library, &["obs-core", "obs-otlp", "obs-instrument"]),
    room("obs-config", 5, Kind::Library, BELOW_FIVE),
    room("obs-viewer", 5, Kind::Library, &["obs-core", "obs-store"]),
    room("obsctl", 6, Kind::Program, BELOW_SIX),
    // Tidy must build in seconds, so xtask links nothing of the product; what needs the product is its other crate.
    room("xtask", 7, Kind::Program, &[]),
    room("xtask-linked", 7, Kind::Program, BELOW_SIX),
];

/// `obs-config` makes every exporter from a file, one feature each.
const BELOW_FIVE: &[&str] = &[
    "obs-core",
    "obs-redact",
    "obs-http",
    "obs-pipeline",
    "obs-queue",
    "obs-instrument",
    "obs-json",
    "obs-console",
    "obs-file",
    "obs-store",
    "obs-database",
    "obs-langfuse",
    "obs-braintrust",
    "obs-langsmith",
    "obs-datadog",
    "obs-newrelic",
    "obs-otel",
    "obs-prometheus",
    "obs-webhook",
    "obs-mastra",
    "obs-grafana",
];

/// The programs see the whole house.
const BELOW_SIX: &[&str] = &[
    "obs-core",
    "obs-redact",
    "obs-http",
    "obs-otlp",
    "obs-aggregate",
    "obs-pipeline",
    "obs-queue",
    "obs-instrument",
    "obs-tracing",
    "obs-config",
    "obs-viewer",
    "obs-json",
    "obs-console",
    "obs-file",
    "obs-store",
    "obs-database",
    "obs-langfuse",
    "obs-braintrust",
    "obs-langsmith",
    "obs-datadog",
    "obs-newrelic",
    "obs-otel",
    "obs-prometheus",
    "obs-webhook",
    "obs-mastra",
    "obs-grafana",
];

/// Dev-dependencies between our crates other than on the testkit: who, on whom, and why.
const DEV_EDGES: &[(&str, &str, &str)] = &[
    ("obs-instrument", "obs-braintrust", "its example sends one program to three platforms"),
    ("obs-instrument", "obs-datadog", "its example combines an archive, a platform and an alarm"),
    ("obs-instrument", "obs-file", "its example combines an archive, a platform and an alarm"),
    ("obs-instrument", "obs-langfuse", "its example sends one program to three platforms"),
    ("obs-instrument", "obs-langsmith", "its example sends one program to three platforms"),
    ("obs-instrument", "obs-otel", "its example measures once and sends to a collector"),
    ("obs-instrument", "obs-prometheus", "its example measures once and shows a page to scrape"),
    ("obs-instrument", "obs-json", "its README shows a whole program, with something to send to"),
    ("obs-instrument", "obs-store", "its example shows a program with a fallback and dead letters"),
    ("obs-otel", "obs-aggregate", "a test shows what measurements are on the wire once they are series"),
    ("obs-otlp", "obs-redact", "a test holds what redaction keeps back against the table of conventions"),
    ("obs-queue", "obs-http", "a test plants credentials in every place of a configuration over HTTP"),
];

/// The room of the crate called `name`.
pub(crate) fn room_of(name: &str) -> Option<&'static Room> {
    HOUSE.iter().find(|room| room.name == name)
}

fn check(project: &Project) -> Vec<Finding> {
    project.members.iter().flat_map(|member| check_member(project, member)).collect()
}

fn check_member(project: &Project, member: &Member) -> Vec<Finding> {
    let manifest = member.manifest();
    let Some(room) = room_of(&member.name) else {
        let what = format!("`{}` has no place in the house", member.name);
        return vec![Finding::new(
            &manifest,
            1,
            what,
            "add a row to HOUSE in xtask/src/tidy/edges.rs: its floor and what it may use",
        )];
    };
    let ours =
        member.edges.iter().filter(|edge| project.member(&edge.to).is_some() && edge.to != member.name);
    let wrong = ours.filter(|edge| !allowed(room, &edge.to, edge.kind));
    wrong
        .map(|edge| {
            let line = project.file(&manifest).map_or(1, |file| line_of_dependency(file, &edge.to));
            let (what, next) = complaint(room, &edge.to, edge.kind);
            Finding::new(&manifest, line, what, next)
        })
        .collect()
}

fn allowed(room: &Room, to: &str, kind: Use) -> bool {
    match kind {
        Use::Dev => {
            to == TESTKIT
                || room.may_use.contains(&to)
                || DEV_EDGES.iter().any(|(a, b, _)| (*a, *b) == (room.name, to))
        }
        Use::Built if to == TESTKIT => room.name == PROVES,
        Use::Built => room.may_use.contains(&to),
    }
}

fn complaint(room: &Room, to: &str, kind: Use) -> (String, String) {
    let (name, floor) = (room.name, room.floor);
    match kind {
        Use::Dev => (
            format!("`{name}` tests itself with `{to}`"),
            format!("use {TESTKIT}, or add the edge with its reason to DEV_EDGES in xtask/src/tidy/edges.rs"),
        ),
        Use::Built if to == TESTKIT => (
            format!("`{name}` is built on {TESTKIT}"),
            "move it to [dev-dependencies]; only tests may use it".into(),
        ),
        Use::Built => {
            let below =
                room_of(to).map_or_else(|| "nowhere".into(), |room| format!("on floor {}", room.floor));
            let what =
                format!("`{name}` (floor {floor}) is built on `{to}` ({below}), an edge that is not allowed");
            (what, "move the code down, or, if the edge goes to a lower floor and is right, add it in xtask/src/tidy/edges.rs".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::fixture::{built, dev, member};
    use crate::tidy::testing::{holds_here, places};

    fn project(members: Vec<Member>) -> Project {
        Project { members, ..Project::default() }
    }

    #[test]
    fn the_house_obeys() {
        holds_here(RULE);
    }

    #[test]
    fn every_listed_edge_goes_down() {
        for room in HOUSE {
            for to in room.may_use {
                let target =
                    room_of(to).unwrap_or_else(|| panic!("{} may use {to}, which has no row", room.name));
                assert!(
                    target.floor < room.floor,
                    "{} (floor {}) to {to} (floor {})",
                    room.name,
                    room.floor,
                    target.floor
                );
                assert_ne!(target.kind, Kind::Program, "{} may use the program {to}", room.name);
            }
        }
    }

    #[test]
    fn every_exporter_is_known_to_the_programs() {
        for room in HOUSE.iter().filter(|room| room.kind == Kind::Exporter) {
            assert!(
                BELOW_SIX.contains(&room.name) && BELOW_FIVE.contains(&room.name),
                "{} is missing",
                room.name
            );
        }
    }

    #[test]
    fn an_edge_up_is_found() {
        let members =
            vec![member("obs-core", &[built("obs-json")]), member("obs-json", &[built("obs-core")])];
        assert_eq!(
            places(RULE, &project(members)),
            [
                "crates/obs-core/Cargo.toml:1 `obs-core` (floor 0) is built on `obs-json` (on floor 3), an edge that is not allowed"
            ]
        );
    }

    #[test]
    fn building_on_the_testkit_is_found_and_testing_with_it_is_not() {
        let kit = member(TESTKIT, &[]);
        let good = member("obs-json", &[dev(TESTKIT)]);
        assert!(places(RULE, &project(vec![kit.clone(), good])).is_empty());
        let chores = member(PROVES, &[built(TESTKIT)]);
        assert!(places(RULE, &project(vec![kit.clone(), chores])).is_empty());
        let bad = member("obs-json", &[built(TESTKIT)]);
        assert_eq!(
            places(RULE, &project(vec![kit, bad])),
            ["crates/obs-json/Cargo.toml:1 `obs-json` is built on obs-testkit"]
        );
    }

    #[test]
    fn a_dev_edge_without_a_reason_is_found() {
        let members = vec![member("obs-json", &[]), member("obs-core", &[dev("obs-json")])];
        assert_eq!(
            places(RULE, &project(members)),
            ["crates/obs-core/Cargo.toml:1 `obs-core` tests itself with `obs-json`"]
        );
    }

    #[test]
    fn a_crate_without_a_room_is_found() {
        assert_eq!(
            places(RULE, &project(vec![member("obs-new", &[])])),
            ["crates/obs-new/Cargo.toml:1 `obs-new` has no place in the house"]
        );
    }
}
