//! Law 2: a disk that is full or fails stops nothing, and is said to do so.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};

use super::Plan;
use super::child::{self, Role};
use super::report::{Section, time};

mod faulty;

pub(crate) use faulty::child;

const DEGRADED: Duration = Duration::from_secs(1);
const RECOVERED: Duration = Duration::from_secs(10);
const RECORD: Duration = Duration::from_micros(5);

/// How the disk fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Trouble {
    /// No space is left, until a large file goes away.
    Full,
    /// Every write fails, until the limit of the size of files is lifted.
    Error,
}

impl Trouble {
    /// As the command line spells it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Error => "error",
        }
    }
}

/// What the child found.
#[derive(Debug, Serialize, Deserialize)]
struct Outcome {
    /// How many records it made, and of those how many a `sync` acknowledged.
    made: u64,
    acknowledged: u64,
    /// How long health took to say so, and to say that it is over; none if it never did.
    degraded: Option<Duration>,
    said: String,
    recovered: Option<Duration>,
    /// Whether a `sync` said `durable` while the disk failed.
    lied: bool,
    record_p999: Duration,
    record_before: String,
    record: String,
    /// What the first pipeline kept and dropped, and what the second delivered.
    kept: u64,
    dropped: u64,
    delivered: u64,
    lost: u64,
    balanced: bool,
}

pub(crate) fn run(plan: &Plan, section: &mut Section) -> Result<()> {
    for (name, trouble) in [("full disk", Trouble::Full), ("I/O error", Trouble::Error)] {
        let folder = tempfile::tempdir().context("no folder for the queue; is the disk full?")?;
        match command(folder.path(), trouble, plan.outage) {
            Ok(mut command) => tell(section, name, &child::outcome(&mut command)?),
            Err(why) => section.skip(name, format!("{why:#}")),
        }
    }
    Ok(())
}

fn tell(section: &mut Section, name: &str, outcome: &Outcome) {
    let shown = |took: Option<Duration>| took.map_or_else(|| "never".into(), time);
    let held = |took: Option<Duration>, limit| took.is_some_and(|took| took <= limit);
    let (degraded, recovered) = (outcome.degraded, outcome.recovered);
    section.show(&format!("{name}: health says"), &outcome.said);
    let what = format!("{name}: degraded after");
    section.goal(&what, shown(degraded), time(DEGRADED), held(degraded, DEGRADED));
    let what = format!("{name}: healthy after the end of it");
    section.goal(&what, shown(recovered), time(RECOVERED), held(recovered, RECOVERED));
    let told = degraded.is_some() && recovered.is_some();
    section.law(&format!("{name}: health told both"), told, true, told);
    section.none(&format!("{name}: syncs that said durable meanwhile"), outcome.lied.into());
    section.show(&format!("{name}: record calls before"), &outcome.record_before);
    let what = format!("{name}: record calls from then on");
    section.goal(&what, &outcome.record, "p99.9 ≤ 5 µs", outcome.record_p999 <= RECORD);
    section.none(&format!("{name}: acknowledged and lost"), outcome.lost);
    let sum = outcome.delivered + outcome.dropped;
    let counted = format!("{} delivered after a new start + {} dropped", outcome.delivered, outcome.dropped);
    let what = format!("{name}: of {} made, {} acknowledged", outcome.made, outcome.acknowledged);
    section.law(&what, counted, outcome.made, sum == outcome.made && outcome.kept == outcome.delivered);
    let state = if outcome.balanced { "balanced" } else { "not" };
    section.law(&format!("{name}: ledgers"), state, "balanced", outcome.balanced);
}

/// The command that starts the child where its disk can fail, or why there is no such place.
fn command(folder: &Path, trouble: Trouble, outage: Duration) -> Result<Command> {
    let role = Role::Disk { folder: folder.into(), trouble, millis: outage.as_millis() as u64 };
    let words = child::words(&role)?;
    // The shell waits for nothing: it becomes the child.
    let mut command = match trouble {
        Trouble::Full => {
            let mut command = namespace(folder)?;
            command.args(["sh", "-c", r#"mount -t tmpfs -o size=128m chaos "$0" && exec "$@""#]).arg(folder);
            command
        }
        Trouble::Error => {
            works(Command::new("prlimit").arg("--version"))?;
            let mut command = Command::new("sh");
            command.args(["-c", r#"trap "" XFSZ; exec "$@""#, "sh"]);
            command
        }
    };
    command.args(words);
    Ok(command)
}

/// `unshare`, as root or as somebody who may play root; what is mounted in it goes away with the child.
fn namespace(folder: &Path) -> Result<Command> {
    let with = |flags: &str| {
        let mut command = Command::new("unshare");
        command.arg(flags);
        command
    };
    let mut why = anyhow!("nothing was tried");
    for flags in ["-m", "-rm"] {
        match works(with(flags).args(["mount", "-t", "tmpfs", "chaos"]).arg(folder)) {
            Ok(()) => return Ok(with(flags)),
            Err(error) => why = error,
        }
    }
    Err(why.context("no small disk can be mounted here"))
}

fn works(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("`{name}` does not start"))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.status.success() { Ok(()) } else { Err(anyhow!("`{name}` does not work: {said}")) }
}
