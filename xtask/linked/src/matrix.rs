//! Renders which exporter takes which signal, and how, from the descriptors alone: no exporter is made, no key is needed.

use std::fmt::Write;

use anyhow::{Context, Result};
use obs_core::{MetricForm, Signal, Support};

use crate::exporters::{EXPORTERS, Listed, check_files};
use crate::files;

/// The rendered file.
const PAGE: &str = "signal-matrix.md";

/// Where the same table stands between marks.
const README: &str = "README.md";

/// Writes the page and the README's table, or compares them; the files of every exporter are compared either way.
pub(crate) fn run(check: bool) -> Result<()> {
    let root = files::root();
    check_files(&root, EXPORTERS)?;
    files::settle(check, &root, PAGE, &page(EXPORTERS))?;
    let readme =
        std::fs::read_to_string(root.join(README)).with_context(|| format!("{README} is not readable"))?;
    files::settle(check, &root, README, &files::between(&readme, README, "matrix", &table(EXPORTERS))?)
}

fn page(exporters: &[Listed]) -> String {
    format!(
        "# Signal matrix\n\nRendered by `cargo xtask matrix` from the exporters' descriptors, which follow from their tables of \
         mappers; edit those.\n[Choosing an exporter](docs/choosing.md) says which is for whom, and what the ❌ are for.\n\n{}\n## Notes\n\n{}\n## What each one asks for\n\nA batch holds at most so many records and \
         bytes of a signal.\n\n{}\n{}",
        table(exporters),
        notes(exporters),
        limits(exporters),
        wishes(exporters)
    )
}

/// One row for each exporter, one column for each signal.
fn table(exporters: &[Listed]) -> String {
    let mut text = String::from("| exporter |");
    for signal in Signal::ALL {
        // Writing to a string does not fail.
        let _ = write!(text, " {signal} |");
    }
    text.push_str("\n|---|---|---|---|---|---|\n");
    for Listed { name, descriptor } in exporters {
        let _ = write!(text, "| [{name}](crates/{name}) |");
        for signal in Signal::ALL {
            let _ = write!(text, " {} |", cell(descriptor.support(signal)));
        }
        text.push('\n');
    }
    text
}

fn cell(support: Support) -> String {
    match support {
        Support::No => "❌".into(),
        Support::Native => "✅".into(),
        Support::As(note) => format!("✅ as {note}"),
        Support::When(note) => format!("✅ when {note}"),
    }
}

/// What the descriptors remark on a signal, a line for each.
fn notes(exporters: &[Listed]) -> String {
    let mut text = String::new();
    for Listed { name, descriptor } in exporters {
        for signal in Signal::ALL {
            if let Some(remark) = descriptor.remark(signal) {
                let _ = writeln!(text, "- {name}, {signal}: {remark}.");
            }
        }
    }
    text
}

/// The most of each signal in one batch, one row for each exporter.
fn limits(exporters: &[Listed]) -> String {
    let mut text = String::from("| exporter |");
    for signal in Signal::ALL {
        let _ = write!(text, " {signal} |");
    }
    text.push_str("\n|---|---|---|---|---|---|\n");
    for Listed { name, descriptor } in exporters {
        let _ = write!(text, "| {name} |");
        for signal in Signal::ALL {
            let limits = descriptor.limits(signal);
            let cell = match descriptor.support(signal) {
                Support::No => "–".to_owned(),
                _ => format!("{}, {}", limits.items, size(limits.bytes)),
            };
            let _ = write!(text, " {cell} |");
        }
        text.push('\n');
    }
    text
}

/// Wishes, one row for each exporter.
fn wishes(exporters: &[Listed]) -> String {
    let mut text = String::from("| exporter | metrics as | started spans | local |\n|---|---|---|---|\n");
    for Listed { name, descriptor } in exporters {
        let form = match descriptor.metric_form() {
            _ if !descriptor.support(Signal::Metrics).is_some() => "–",
            MetricForm::Records => "records",
            MetricForm::Delta => "delta series",
            MetricForm::Cumulative => "cumulative series",
        };
        let said = |yes: bool| if yes { "yes" } else { "no" };
        let _ = writeln!(
            text,
            "| {name} | {form} | {} | {} |",
            said(descriptor.wants_started()),
            said(descriptor.is_local())
        );
    }
    text.push_str(
        "\nAn exporter that wants started spans gets a record when a span starts and another when it ends; for the others \
         the start is filtered.\nA local one writes to this machine, so that its batches leave after 200 ms instead of a second.\n",
    );
    text
}

/// A number of bytes in the largest unit that leaves no remainder.
fn size(bytes: usize) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = units.into_iter().find(|(shift, _)| bytes > 0 && bytes.is_multiple_of(1 << shift));
    unit.map_or_else(|| format!("{bytes} B"), |(shift, name)| format!("{} {name}", bytes >> shift))
}

#[cfg(test)]
mod tests {
    use obs_core::{Descriptor, Limits, Mapped, Mappers, Records};

    use super::*;

    type Leaf = Descriptor;

    fn map<T>(_: &Leaf, records: &Records<T>) -> Mapped<()> {
        Mapped::whole((), records.len())
    }

    const TABLE: Mappers<Leaf, ()> =
        Mappers::NONE.traces(map).logs_as(map, "events").scores_when(map, "a name is set");
    const DESCRIPTOR: Descriptor = Descriptor::of("a", &TABLE)
        .with_limits(Signal::Logs, Limits { items: 7, bytes: 3 << 20 })
        .with_remark(Signal::Metrics, "it has no place for them")
        .with_local();
    const ONE: &[Listed] = &[Listed { name: "obs-a", descriptor: &DESCRIPTOR }];

    #[test]
    fn law_4_flags_are_what_the_matrix_shows() {
        run(true).unwrap();
    }

    #[test]
    fn the_page_on_choosing_knows_every_exporter() {
        let page = std::fs::read_to_string(files::root().join("docs/choosing.md")).unwrap();
        for Listed { name, .. } in EXPORTERS {
            let rows =
                page.lines().filter(|line| line.starts_with('|') && line.contains(&format!("[{name}](")));
            assert!(rows.count() >= 2, "{name}: for whom it is, and what it cannot take");
        }
    }

    #[test]
    fn a_descriptor_becomes_a_row() {
        assert_eq!(
            table(ONE),
            "| exporter | traces | metrics | logs | scores | feedback |\n|---|---|---|---|---|---|\n\
             | [obs-a](crates/obs-a) | ✅ | ❌ | ✅ as events | ✅ when a name is set | ❌ |\n"
        );
    }

    #[test]
    fn limits_remarks_and_wishes_are_shown() {
        let row = "| obs-a | 512, 4 MiB | – | 7, 3 MiB | 512, 4 MiB | – |\n";
        assert!(limits(ONE).ends_with(row), "{}", limits(ONE));
        assert_eq!(notes(ONE), "- obs-a, metrics: it has no place for them.\n");
        assert!(wishes(ONE).contains("| obs-a | – | no | yes |\n"));
    }

    #[test]
    fn sizes_keep_every_byte() {
        assert_eq!(
            [size(4 << 20), size(1 << 30), size(1536), size(1000), size(0)],
            ["4 MiB", "1 GiB", "1536 B", "1000 B", "0 B"]
        );
    }
}
