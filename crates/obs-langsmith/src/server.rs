//! What the server can do, and which project it has: asked once, then kept.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use obs_core::{ErrorKind, Failure, Retry};
use obs_http::{Client, Compression, Request};
use serde::Deserialize;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use uuid::Uuid;

use crate::capabilities::{Capabilities, Limits};
use crate::policy::LOOKUPS;
use crate::settings::Settings;

/// How long the server may take to say what it can do; without its word the defaults serve.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long a server that did not say is not asked again.
const REST: Duration = Duration::from_mins(1);

/// A project, as the server lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Project {
    pub(crate) id: Uuid,
    /// The workspace it is in.
    #[serde(default)]
    pub(crate) tenant_id: Option<Uuid>,
}

/// What is known of the server so far.
#[derive(Debug)]
pub(crate) struct Server {
    capabilities: OnceCell<Capabilities>,
    /// When it last did not say what it can do.
    silent: Mutex<Option<Instant>>,
    /// It answered 404 where the multipart endpoint should be.
    lacks_multipart: AtomicBool,
    project: OnceCell<Project>,
    /// It answered a look-up or an upload with success.
    known: AtomicBool,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self {
            capabilities: OnceCell::new(),
            silent: Mutex::new(None),
            lacks_multipart: AtomicBool::new(false),
            project: OnceCell::new(),
            known: AtomicBool::new(false),
        }
    }

    /// Asks what the server can do, unless it is known; without an answer the defaults serve for a minute.
    pub(crate) async fn meet(&self, client: &Client) {
        let silent = || self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        if silent().is_some_and(|since| since.elapsed() < REST) {
            return;
        }
        let asked = self.capabilities.get_or_try_init(|| async {
            match client.send(&Request::get("/info").with_timeout(PATIENCE), &LOOKUPS).await {
                Ok(answer) => {
                    self.now_known();
                    Ok(Capabilities::read(answer.body()))
                }
                // A server that has no such page is one that will not say; others may say it later.
                Err(Failure { kind: ErrorKind::Config | ErrorKind::Rejected, .. }) => {
                    Ok(Capabilities::DEFAULT)
                }
                Err(failure) => Err(failure),
            }
        });
        if asked.await.is_err() {
            *silent() = Some(Instant::now());
        }
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities.get().copied().unwrap_or(Capabilities::DEFAULT)
    }

    pub(crate) fn limits(&self) -> Limits {
        self.capabilities().limits
    }

    /// How bodies may be compressed where the user does not say.
    pub(crate) fn compression(&self) -> Compression {
        self.capabilities().compression
    }

    /// Whether LangSmith is where `endpoint` points to: it took something, or told something.
    pub(crate) fn is_known(&self) -> bool {
        self.known.load(Ordering::Relaxed)
    }

    /// Remembers that it answered with success.
    pub(crate) fn now_known(&self) {
        self.known.store(true, Ordering::Relaxed);
    }

    /// Whether it takes multipart bodies.
    pub(crate) fn takes_multipart(&self) -> bool {
        self.capabilities().multipart && !self.lacks_multipart.load(Ordering::Relaxed)
    }

    /// Whether it takes feedback as parts of them.
    pub(crate) fn takes_feedback_parts(&self) -> bool {
        self.capabilities().feedback_parts && self.takes_multipart()
    }

    /// Remembers for good that it takes none.
    pub(crate) fn forget_multipart(&self) {
        self.lacks_multipart.store(true, Ordering::Relaxed);
    }

    /// The project, if it was found before.
    pub(crate) fn project(&self) -> Option<Project> {
        self.project.get().copied()
    }

    /// Looks the project up, unless it is known.
    ///
    /// # Errors
    /// Why there was no answer; and a wish to wait where the server has no such project yet.
    pub(crate) async fn find_project(&self, client: &Client, settings: &Settings) -> Result<(), Failure> {
        if self.project().is_some() || self.ask(client, settings).await?.is_some() {
            return Ok(());
        }
        let name = &settings.project;
        let message = format!("LangSmith has no project \"{name}\" yet; the first run of it makes it");
        // A wait of this kind counts for no outage.
        let (kind, retry) = (ErrorKind::RateLimited, Retry::Backoff);
        Err(Failure { kind, retry, status: None, message: message.into() })
    }

    /// Asks for the project by its id or its name, which also checks the key; `None` where there is none yet.
    pub(crate) async fn ask(&self, client: &Client, settings: &Settings) -> Result<Option<Project>, Failure> {
        let target = match settings.project_id {
            Some(id) => format!("/sessions?id={id}&limit=1"),
            None => format!("/sessions?name={}&limit=1", percent_encoded(&settings.project)),
        };
        let answer = client.send(&Request::get(target), &LOOKUPS).await?;
        let found: Vec<Project> = serde_json::from_slice(answer.whole()?).map_err(|cause| Failure {
            kind: ErrorKind::Unavailable,
            retry: Retry::Backoff,
            status: Some(answer.status()),
            message: format!("LangSmith's list of projects cannot be read: {cause}; check `endpoint`").into(),
        })?;
        self.now_known();
        let Some(project) = found.first().copied() else { return Ok(None) };
        // Whoever comes second has the same answer.
        drop(self.project.set(project));
        Ok(Some(project))
    }
}

/// A text as a value of a query.
fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.extend(["%", &format!("{byte:02X}")]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_the_value_of_a_query() {
        assert_eq!(percent_encoded("my agent & ä/1"), "my%20agent%20%26%20%C3%A4%2F1");
    }
}
