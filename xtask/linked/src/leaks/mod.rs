//! Planted secrets never leave: every string of every signal has one, every exporter gets all of them, and everything
//! that left is searched; so is what stays behind on disk and what is told when a backend refuses records and repeats them.
//!
//! Secrets are filled with one canary, so that any ten characters of one in a row are found, whatever was made of the rest.
//! The same without redaction is the control: it must be seen to leak at every place, or the search sees nothing.

mod judge;
mod kept;
mod plant;
mod secrets;
mod send;

use anyhow::{Result, ensure};
use memchr::memmem;
use obs_redact::RedactConfig;

use crate::arrivals::listed::LISTED;

/// How many records are sent with redaction.
const EVENTS: usize = 10_000;

/// How often the ordinary records are sent to backends that refuse them.
const REFUSED: u64 = 4;

/// What was found at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Found {
    place: &'static str,
    bytes: usize,
    leaks: usize,
    /// Whether secrets can be seen here where nothing is redacted; else others keep them out of it.
    seen: bool,
}

impl Found {
    fn nothing(place: &'static str) -> Self {
        Self { place, bytes: 0, leaks: 0, seen: true }
    }

    fn search(&mut self, raw: &[u8]) {
        self.bytes += raw.len();
        for needle in secrets::NEEDLES {
            self.leaks += memmem::find_iter(raw, needle).count();
        }
    }
}

/// Sends the control and then all, and fails at a leak or where the control shows none.
pub(crate) fn run() -> Result<()> {
    let missing = secrets::missing();
    ensure!(missing.is_empty(), "formats without a secret in xtask/linked/src/leaks/secrets.rs: {missing:?}");
    let mut control = send::send(LISTED, 1, None)?.found;
    control.extend(kept::kept(1, None)?);
    let rules = RedactConfig::default();
    let mut sent = send::send(LISTED, EVENTS, Some(&rules))?;
    sent.found.extend(kept::kept(REFUSED, Some(&rules))?);
    ensure!(
        sent.rounds >= secrets::secrets().len(),
        "only {} rounds, so not every string had every secret",
        sent.rounds
    );
    print!("{}", judge::table(&sent.found, &control));
    let wrong = judge::wrong(&sent.found, &control);
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!(
        "leaks: none of {} secrets in {} records left through {} exporters, or stayed on disk",
        sent.planted,
        sent.records,
        LISTED.len()
    );
    Ok(())
}
