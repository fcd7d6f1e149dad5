//! Every exporter of the workspace. A new one is a line in [`EXPORTERS`].

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use obs_core::{Descriptor, Signal};

/// An exporter crate and what its type takes.
#[derive(Debug)]
pub(crate) struct Listed {
    /// The crate, which is also its folder in `crates/`.
    pub(crate) name: &'static str,
    /// What it is and takes.
    pub(crate) descriptor: &'static Descriptor,
}

/// The list, in the order of the matrix.
pub(crate) const EXPORTERS: &[Listed] = &[
    Listed { name: "obs-json", descriptor: &obs_json::DESCRIPTOR },
    Listed { name: "obs-console", descriptor: &obs_console::DESCRIPTOR },
    Listed { name: "obs-langfuse", descriptor: &obs_langfuse::DESCRIPTOR },
    Listed { name: "obs-braintrust", descriptor: &obs_braintrust::DESCRIPTOR },
    Listed { name: "obs-langsmith", descriptor: &obs_langsmith::DESCRIPTOR },
    Listed { name: "obs-datadog", descriptor: &obs_datadog::DESCRIPTOR },
    Listed { name: "obs-newrelic", descriptor: &obs_newrelic::DESCRIPTOR },
    Listed { name: "obs-mastra", descriptor: &obs_mastra::DESCRIPTOR },
    Listed { name: "obs-otel", descriptor: &obs_otel::DESCRIPTOR },
    Listed { name: "obs-grafana", descriptor: &obs_grafana::DESCRIPTOR },
    Listed { name: "obs-prometheus", descriptor: &obs_prometheus::DESCRIPTOR },
    Listed { name: "obs-webhook", descriptor: &obs_webhook::DESCRIPTOR },
    Listed { name: "obs-file", descriptor: &obs_file::DESCRIPTOR },
    Listed { name: "obs-store", descriptor: &obs_store::StoreExporter::DESCRIPTOR },
];

/// Holds the list and the descriptors against the tree.
///
/// Every crate with a `config.rs` and an `exporter.rs` is listed, and a signal has a file in `src` exactly if it is supported.
pub(crate) fn check_files(root: &Path, exporters: &[Listed]) -> Result<()> {
    let crates = root.join("crates");
    let entries =
        std::fs::read_dir(&crates).with_context(|| format!("{} is not readable", crates.display()))?;
    let mut found = BTreeSet::new();
    for entry in entries {
        let entry = entry?;
        if entry.path().join("src/exporter.rs").exists() && entry.path().join("src/config.rs").exists() {
            found.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    let listed: BTreeSet<_> = exporters.iter().map(|listed| listed.name.to_owned()).collect();
    ensure!(
        found == listed,
        "EXPORTERS in xtask/linked/src/exporters.rs lists {listed:?}, the tree has {found:?}; add or drop the line"
    );
    for Listed { name, descriptor } in exporters {
        for signal in Signal::ALL {
            let source = crates.join(name).join("src").join(signal.as_str());
            let mapped = source.is_dir() || source.with_extension("rs").exists();
            let supported = descriptor.support(signal).is_some();
            ensure!(
                mapped == supported,
                "crates/{name}/src/{signal}.rs {}, but the descriptor says {:?}; a signal has a file exactly if the table \
                 has its mapper",
                if mapped { "exists" } else { "does not exist" },
                descriptor.support(signal),
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use obs_core::{Log, Mapped, Mappers, Records};

    use super::*;
    use crate::files;

    type Leaf = Descriptor;

    fn map(_: &Leaf, records: &Records<Log>) -> Mapped<()> {
        Mapped::whole((), records.len())
    }

    const LOGS: Descriptor = Descriptor::of("a", &Mappers::<Leaf, ()>::NONE.logs(map));
    const ONE: &[Listed] = &[Listed { name: "obs-a", descriptor: &LOGS }];

    fn tree(names: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in names {
            let path = dir.path().join("crates/obs-a/src").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        dir
    }

    #[test]
    fn law_4_flags_agree_with_the_files_of_every_exporter() {
        check_files(&files::root(), EXPORTERS).unwrap();
    }

    #[test]
    fn a_signal_has_a_file_exactly_if_it_is_supported() {
        check_files(tree(&["config.rs", "exporter.rs", "logs.rs"]).path(), ONE).unwrap();
        for (names, said) in [
            (&["config.rs", "exporter.rs"][..], "crates/obs-a/src/logs.rs does not exist"),
            (&["config.rs", "exporter.rs", "logs.rs", "scores.rs"][..], "crates/obs-a/src/scores.rs exists"),
        ] {
            let message = check_files(tree(names).path(), ONE).unwrap_err().to_string();
            assert!(message.starts_with(said), "{message}");
        }
    }

    #[test]
    fn a_crate_that_is_not_listed_is_found() {
        let message = check_files(tree(&["config.rs", "exporter.rs"]).path(), &[]).unwrap_err().to_string();
        assert!(message.ends_with("lists {}, the tree has {\"obs-a\"}; add or drop the line"), "{message}");
    }
}
