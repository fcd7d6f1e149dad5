//! Processes of our own: some things are only seen from outside, or end with the process.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Subcommand;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{crash, disk, memory};

/// What a child does; started by `chaos` only.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Role {
    /// Records more than anything can take.
    Memory {
        /// For so long.
        millis: u64,
    },
    /// Records and delivers until it is killed.
    Crash {
        /// Where the queue and what was delivered lie.
        folder: PathBuf,
        /// The number of the first record.
        first: u64,
        /// How many records to make.
        count: u64,
        /// How long a batch takes.
        delay_millis: u64,
    },
    /// Works on a disk that fails and recovers.
    Disk {
        /// Where the queue lies.
        folder: PathBuf,
        /// How it fails.
        #[arg(value_enum)]
        trouble: disk::Trouble,
        /// For so long.
        millis: u64,
    },
}

/// Plays a role.
pub(crate) fn run(role: &Role) -> Result<()> {
    match role {
        Role::Memory { millis } => memory::child(*millis),
        Role::Crash { folder, first, count, delay_millis } => {
            crash::child(folder, *first, *count, Duration::from_millis(*delay_millis))
        }
        Role::Disk { folder, trouble, millis } => {
            disk::child(folder, *trouble, Duration::from_millis(*millis))
        }
    }
}

/// This program and the arguments of a role.
pub(crate) fn words(role: &Role) -> Result<Vec<OsString>> {
    let program = std::env::current_exe().context("this program does not know where it lies")?;
    let mut words = vec![program.into_os_string(), "chaos-child".into()];
    match role {
        Role::Memory { millis } => words.extend(["memory".into(), millis.to_string().into()]),
        Role::Crash { folder, first, count, delay_millis } => {
            words.extend(["crash".into(), folder.into()]);
            words.extend([first, count, delay_millis].map(|number| number.to_string().into()));
        }
        Role::Disk { folder, trouble, millis } => {
            let trouble = trouble.word();
            words.extend(["disk".into(), folder.into(), trouble.into(), millis.to_string().into()]);
        }
    }
    Ok(words)
}

/// The command that plays a role.
pub(crate) fn command(role: &Role) -> Result<Command> {
    let words = words(role)?;
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    Ok(command)
}

/// Runs a child to its end; what it [told](tell).
pub(crate) fn outcome<T: DeserializeOwned>(command: &mut Command) -> Result<T> {
    let output = command.stderr(Stdio::inherit()).output().context("the child did not start")?;
    ensure!(output.status.success(), "the child ended with {}", output.status);
    let last = output.stdout.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty());
    serde_json::from_slice(last.unwrap_or_default()).context("the child told nothing that we understand")
}

/// Tells the parent, in one line.
pub(crate) fn tell(outcome: &impl Serialize) -> Result<()> {
    let line = serde_json::to_string(outcome)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// A child whose lines are read while it runs.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    pub(crate) fn start(role: &Role) -> Result<Self> {
        let mut child = command(role)?.stdout(Stdio::piped()).spawn().context("the child did not start")?;
        let out = child.stdout.take().context("the child has no output")?;
        let (tell, lines) = channel();
        let read = move || {
            // A child that is killed leaves half a line, which says nothing.
            let whole = |line: &Vec<u8>| line.last() == Some(&b'\n');
            let mut out = BufReader::new(out);
            loop {
                let mut line = Vec::new();
                let ended = out.read_until(b'\n', &mut line).is_err() || !whole(&line);
                let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                if ended || tell.send(line).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().spawn(read).context("no thread to read what the child tells")?;
        Ok(Self { child, lines })
    }

    /// The next line, if one comes within that time.
    pub(crate) fn line(&self, at_most: Duration) -> Option<String> {
        self.lines.recv_timeout(at_most).ok()
    }

    /// Kills it with a signal that it cannot catch; all it had told by then, and how it had ended, if it had.
    pub(crate) fn kill(mut self) -> Result<(Vec<String>, Option<ExitStatus>)> {
        let ended = self.child.try_wait()?;
        self.child.kill().context("the child cannot be killed")?;
        self.child.wait()?;
        Ok((self.lines.iter().collect(), ended))
    }

    /// Waits for its end; all it told, and whether it ended well.
    pub(crate) fn end(mut self) -> Result<(Vec<String>, bool)> {
        let told = self.lines.iter().collect();
        Ok((told, self.child.wait()?.success()))
    }
}
