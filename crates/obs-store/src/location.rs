//! Where a store lies: a path, or an address that stands for one.

use std::path::PathBuf;

/// Endings by which a host-like name is known to be a file.
const FILE_ENDINGS: [&str; 4] = ["db", "db3", "sqlite", "sqlite3"];

/// The path that a path, `sqlite://PATH`, `file:PATH` or `libsql://FILE` stands for.
///
/// The message of an error never quotes the address, since one of a server may hold credentials.
pub(crate) fn parse(text: &str) -> Result<PathBuf, String> {
    let text = text.trim();
    if text == ":memory:" {
        return Err("`:memory:` could not be read by anyone else; name a file, such as `obs.db`".into());
    }
    let path = match text.split_once("://") {
        Some(("sqlite" | "file", path)) => path,
        Some(("libsql", rest)) if is_file(rest) => rest,
        Some((scheme, _)) => return Err(remote(scheme)),
        None => text.strip_prefix("sqlite:").or_else(|| text.strip_prefix("file:")).unwrap_or(text),
    };
    if path.is_empty() {
        return Err("it names no file; set it to a path, such as `obs.db`".into());
    }
    Ok(path.into())
}

fn remote(scheme: &str) -> String {
    format!(
        "an address of {scheme}:// is a server, and this store is a SQLite file that obs writes itself; \
         name a file, such as `obs.db` or `sqlite:///var/lib/app/obs.db`"
    )
}

/// `libsql://` stands before files and before servers; a server has a port, a user, a parameter or a domain.
fn is_file(rest: &str) -> bool {
    let first = rest.split('/').next().unwrap_or(rest);
    let of_a_server = rest.contains(['?', '@']) || first.contains(':') || first == "localhost";
    let named_like_a_file = first.rsplit_once('.').is_none_or(|(before, ending)| {
        before.is_empty() || first.starts_with('.') || FILE_ENDINGS.contains(&ending)
    });
    !of_a_server && named_like_a_file
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn files_are_found_behind_every_spelling() {
        for (text, path) in [
            ("obs.db", "obs.db"),
            ("./data/obs", "./data/obs"),
            (" /var/lib/obs.db ", "/var/lib/obs.db"),
            ("sqlite://obs.db", "obs.db"),
            ("sqlite:///var/obs.db", "/var/obs.db"),
            ("sqlite:obs.db", "obs.db"),
            ("file:../mastra.db", "../mastra.db"),
            ("libsql://mastra.db", "mastra.db"),
            ("libsql:///data/mastra.db", "/data/mastra.db"),
            ("libsql://./mastra", "./mastra"),
            ("libsql://data/mastra.sqlite", "data/mastra.sqlite"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(Path::new(path)), "{text}");
        }
    }

    #[test]
    fn servers_are_refused_with_the_reason_and_without_their_credentials() {
        for text in [
            "libsql://agent-acme.turso.io",
            "libsql://agent-acme.turso.io/?authToken=hush",
            "libsql://localhost:8080",
            "libsql://me:hush@data.db",
            "postgres://me:hush@db.example.com/obs",
            "https://hush.example.com",
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains("a server") && error.contains("name a file"), "{error}");
            assert!(!error.contains("hush") && !error.contains("acme"), "{error}");
        }
        assert!(parse("sqlite://").unwrap_err().contains("no file"));
        assert!(parse("").unwrap_err().contains("no file"));
        assert!(parse(":memory:").unwrap_err().contains("read by anyone"));
    }
}
