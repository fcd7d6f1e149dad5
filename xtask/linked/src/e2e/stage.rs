//! The programs while they run: started on free ports of the loopback, waited for, and stopped whatever happens.

use std::fs::File;
use std::future::Future;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use super::install;

/// How long a program may take until it answers.
const START: Duration = Duration::from_secs(30);

/// How long it may take until a backend shows what it took.
pub(crate) const VISIBLE: Duration = Duration::from_secs(10);

/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Where programs run; when it is dropped, they have ended and their folder is gone.
#[derive(Debug)]
pub(crate) struct Stage {
    runtime: Runtime,
    props: Arc<Props>,
    keep: bool,
}

/// What must not outlive the run.
#[derive(Debug)]
struct Props {
    folder: PathBuf,
    running: Mutex<Vec<Process>>,
}

#[derive(Debug)]
struct Process {
    name: &'static str,
    child: Child,
}

impl Stage {
    /// An empty stage; with `keep`, the folder with what the programs wrote stays.
    pub(crate) fn new(keep: bool) -> Result<Self> {
        let home = install::home();
        std::fs::create_dir_all(&home).with_context(|| format!("{} cannot be made", home.display()))?;
        sweep(&home);
        let folder =
            tempfile::Builder::new().prefix(&format!("{RUN}{}-", std::process::id())).tempdir_in(&home);
        let folder = folder.context("no folder for what the programs write; is the disk full?")?.keep();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.context("no runtime; is the machine out of threads?")?;
        let props = Arc::new(Props { folder, running: Mutex::default() });
        let (interrupted, kept) = (Arc::clone(&props), keep);
        runtime.spawn(async move {
            if until_interrupted().await.is_ok() {
                interrupted.strike(kept);
                std::process::exit(130);
            }
        });
        Ok(Self { runtime, props, keep })
    }

    /// A new folder for a program's files.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.props.folder.join(name);
        std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        Ok(folder)
    }

    /// Starts a program; what it says goes into a log of its name.
    ///
    /// It gets no variable of ours but the path, so that nobody's settings change what it does.
    pub(crate) fn start(
        &self,
        name: &'static str,
        program: &Path,
        words: &[String],
        variables: &[(&str, &str)],
    ) -> Result<()> {
        let folder = self.folder(name)?;
        let log =
            File::create(self.log(name)).with_context(|| format!("no log for {name}; is the disk full?"))?;
        let mut command = tied(program);
        command.args(words).current_dir(&folder).stdin(Stdio::null());
        command.env_clear().env("HOME", &folder).envs(variables.iter().copied());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| format!("{name} did not start"))?;
        self.props.running().push(Process { name, child });
        Ok(())
    }

    /// Waits until a program answers as it should, or says what it wrote until it ended or the time was up.
    pub(crate) fn ready(&self, name: &'static str, mut asked: impl AsyncFnMut() -> bool) -> Result<()> {
        let waited = self.runtime.block_on(async {
            let deadline = tokio::time::Instant::now() + START;
            while !asked().await {
                if let Some(end) = self.props.ended(name) {
                    bail!("{name} ended at once, with {end}");
                }
                if tokio::time::Instant::now() > deadline {
                    bail!("{name} did not answer within {START:?}");
                }
                tokio::time::sleep(PAUSE).await;
            }
            Ok(())
        });
        waited.with_context(|| self.told(name))
    }

    /// Looks until all is well or the time is up, at least once.
    pub(crate) fn settles(
        &self,
        patience: Duration,
        mut look: impl AsyncFnMut() -> Result<bool>,
    ) -> Result<()> {
        self.runtime.block_on(async {
            let deadline = tokio::time::Instant::now() + patience;
            loop {
                let well = look().await;
                if matches!(well, Ok(true)) || tokio::time::Instant::now() > deadline {
                    return well.map(drop);
                }
                tokio::time::sleep(PAUSE).await;
            }
        })
    }

    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Stops every program, so that the next part starts with none.
    pub(crate) fn clear(&self) {
        self.props.stop();
    }

    fn log(&self, name: &str) -> PathBuf {
        self.props.folder.join(name).with_extension("log")
    }

    /// The end of what a program wrote.
    pub(crate) fn told(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.log(name)).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(15)..].join("\n    ");
        format!("the end of what {name} wrote:\n    {last}")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.props.strike(self.keep);
    }
}

impl Props {
    fn running(&self) -> std::sync::MutexGuard<'_, Vec<Process>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self, name: &str) -> Option<std::process::ExitStatus> {
        let mut running = self.running();
        let process = running.iter_mut().find(|process| process.name == name)?;
        process.child.try_wait().ok().flatten()
    }

    fn stop(&self) {
        for mut process in self.running().drain(..) {
            // One that has ended already cannot be killed, and that is well.
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
    }

    fn strike(&self, keep: bool) {
        self.stop();
        if keep {
            println!("e2e: kept {}", self.folder.display());
        } else if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            eprintln!("e2e: {} stays: {error}", self.folder.display());
        }
    }
}

async fn until_interrupted() -> std::io::Result<()> {
    let (mut interrupt, mut end) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = end.recv() => {}
    }
    Ok(())
}

/// The program, so started that the kernel ends it when we end in a way that runs no code of ours.
fn tied(program: &Path) -> Command {
    const SETPRIV: &str = "/usr/bin/setpriv";
    if !Path::new(SETPRIV).exists() {
        return Command::new(program);
    }
    let mut command = Command::new(SETPRIV);
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

const RUN: &str = "run-";

/// Removes the folders of runs that were killed.
fn sweep(home: &Path) {
    let Ok(entries) = std::fs::read_dir(home) else { return };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        let run = name.to_str().and_then(|name| name.strip_prefix(RUN));
        let owner = run.and_then(|run| run.split('-').next()?.parse::<u32>().ok());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// So many different ports that nobody listens on.
pub(crate) fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on the loopback")?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ports_are_different_and_free() {
        let ports = free_ports::<8>().unwrap();
        assert_eq!(BTreeSet::from(ports).len(), 8);
        for port in ports {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        }
    }

    #[test]
    fn folders_of_the_dead_are_swept_and_of_the_living_are_not() {
        let home = tempfile::tempdir().unwrap();
        let folder = |name: String| {
            let path = home.path().join(name);
            std::fs::create_dir(&path).unwrap();
            path
        };
        let alive = folder(format!("{RUN}{}-a", std::process::id()));
        let (dead, other) = (folder(format!("{RUN}4294967295-b")), folder("prometheus".into()));
        sweep(home.path());
        assert_eq!([alive.exists(), dead.exists(), other.exists()], [true, false, true]);
    }

    fn stage(words: &[&str]) -> (Stage, Result<()>) {
        let stage = Stage::new(false).unwrap();
        let words: Vec<_> = words.iter().map(ToString::to_string).collect();
        let started = stage.start("shell", Path::new("/bin/sh"), &words, &[]);
        (stage, started)
    }

    #[test]
    fn a_program_that_ends_at_once_is_told_with_what_it_wrote() {
        let (stage, started) = stage(&["-c", "echo no such port; exit 3"]);
        started.unwrap();
        let error = stage.ready("shell", async || false).unwrap_err();
        let told = format!("{error:#}");
        assert!(
            told.contains("no such port") && told.contains("shell ended at once, with exit status: 3"),
            "{told}"
        );
    }

    #[test]
    fn what_was_started_ends_with_the_stage() {
        let (stage, started) = stage(&["-c", "echo $$ > pid; exec sleep 600"]);
        started.unwrap();
        let file = stage.folder("shell").unwrap().join("pid");
        let pid = || std::fs::read_to_string(&file).ok().and_then(|text| text.trim().parse::<u32>().ok());
        stage.ready("shell", async || pid().is_some()).unwrap();
        let process = Path::new("/proc").join(pid().unwrap().to_string());
        assert!(process.exists());
        drop(stage);
        assert!(!process.exists() && !file.exists());
    }
}
