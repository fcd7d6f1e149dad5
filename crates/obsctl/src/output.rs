//! What commands print, and how they end.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde::Serialize;

use crate::table::harmless;

/// How a command that did not fail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// All of it.
    Wholly,
    /// Some of the input was refused, and said so.
    Partly,
}

impl From<Done> for ExitCode {
    fn from(done: Done) -> Self {
        match done {
            Done::Wholly => Self::SUCCESS,
            Done::Partly => Self::from(3),
        }
    }
}

/// Writes data to standard output; a reader who left is an error, not a panic.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes one JSON document to standard output.
pub(crate) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    Ok(print(&text)?)
}

/// Writes a message for people to standard error, whether or not anyone is there to read it.
///
/// What it quotes from files and servers cannot steer the terminal.
pub(crate) fn say(message: &str) {
    let lines: Vec<String> = message.split('\n').map(harmless).collect();
    let _ = writeln!(io::stderr().lock(), "{}", lines.join("\n"));
}

/// Whether an error only says that the reader of standard output left.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |kind| kind == Some(io::ErrorKind::BrokenPipe);
    broken(error.downcast_ref::<io::Error>().map(io::Error::kind))
}
