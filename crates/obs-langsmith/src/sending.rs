//! Sending: the one place where requests leave.

use obs_core::{Failure, Refused, Reply};
use obs_http::{Body, Policy, Request as HttpRequest};
use uuid::Uuid;

use crate::LangsmithExporter;
use crate::config::FeedbackTransport;
use crate::judgement::Judged;
use crate::multipart::{Multipart, batch};
use crate::policy::{FEEDBACK, RUNS};
use crate::run::{Phase, Run, Verb};

/// How often a feedback asks for a run that the server does not see yet, as LangSmith's SDKs do.
const TRIES: u32 = 10;

/// What a mapper asks for.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    /// Runs, in whichever way the server takes them.
    Runs(Vec<Run>),
    /// Feedback as parts of one body.
    FeedbackParts(Vec<Judged>),
    /// A feedback as a request of its own.
    Feedback(Judged),
}

impl Request {
    /// The body that it would be sent as now, not compressed.
    pub(crate) fn into_body(self, multipart: bool) -> Vec<u8> {
        match self {
            Self::Runs(runs) if multipart => Multipart::of_runs(&runs).body,
            Self::Runs(runs) => batch(&runs),
            Self::FeedbackParts(parts) => Multipart::of_feedback(named(&parts)).body,
            Self::Feedback(judged) => judged.json,
        }
    }
}

fn named(parts: &[Judged]) -> impl Iterator<Item = (Uuid, &[u8])> {
    parts.iter().map(|judged| (judged.id, judged.json.as_slice()))
}

impl LangsmithExporter {
    pub(crate) async fn send(&self, request: Request) -> Result<Reply, Failure> {
        match request {
            Request::Runs(runs) => self.send_runs(runs).await.map(|()| Reply::default()),
            Request::FeedbackParts(parts) => self.send_parts(parts).await,
            Request::Feedback(judged) => self.send_feedback(judged).await,
        }
    }

    /// Sends runs together.
    ///
    /// A conflict speaks of one of them at least, not of all, and nothing proves which: several are left for the caller to
    /// split, and one is there.
    async fn send_runs(&self, mut runs: Vec<Run>) -> Result<(), Failure> {
        if self.settings.post_on_start {
            for run in runs.iter().filter(|run| run.verb != Verb::Patch) {
                self.starts.put(run.span, Start::Doubtful);
            }
        }
        match (self.upload(&runs).await, runs.as_mut_slice()) {
            (Err(failure), [run]) if failure.status == Some(CONFLICT) => self.update(run).await?,
            (Err(failure), _) => return Err(of_several(failure, runs.len(), "runs")),
            (Ok(()), _) => {}
        }
        for run in &runs {
            self.remember(run);
        }
        Ok(())
    }

    /// Brings the end of a run to a server that has the run, but perhaps only its start.
    async fn update(&self, run: &mut Run) -> Result<(), Failure> {
        let may_lack_end = run.phase == Phase::Whole && run.verb != Verb::Patch;
        if self.settings.post_on_start && may_lack_end {
            run.verb = Verb::Patch;
            return match self.upload(std::slice::from_ref(run)).await {
                Err(failure) if failure.status == Some(CONFLICT) => Ok(()),
                updated => updated,
            };
        }
        Ok(())
    }

    fn remember(&self, run: &Run) {
        match run.phase {
            Phase::Started => self.starts.put(run.span, Start::Taken),
            Phase::Whole => drop(self.starts.remove(run.span)),
        }
        if run.is_root {
            self.roots.put(run.span.0, run.id);
        }
        self.trees.put(run.span, run.trace_id);
    }

    /// Sends runs as multipart, or as JSON where the server does not take that.
    async fn upload(&self, runs: &[Run]) -> Result<(), Failure> {
        let as_json = || self.post("/runs/batch", "application/json", Body::plain(batch(runs)), &RUNS);
        if !self.server.takes_multipart() {
            return as_json().await;
        }
        match self.post_multipart(Multipart::of_runs(runs)).await {
            Err(failure) if failure.status == Some(MISSING) => {
                as_json().await?;
                self.server.forget_multipart();
                Ok(())
            }
            outcome => outcome,
        }
    }

    async fn send_parts(&self, parts: Vec<Judged>) -> Result<Reply, Failure> {
        match self.post_multipart(Multipart::of_feedback(named(&parts))).await {
            Ok(()) => Ok(Reply::default()),
            Err(failure) if failure.status == Some(CONFLICT) && parts.len() == 1 => Ok(Reply::default()),
            Err(failure) if failure.status == Some(MISSING) && self.may_go_alone() => {
                self.send_alone(parts).await
            }
            Err(failure) => Err(of_several(failure, parts.len(), "feedback")),
        }
    }

    fn may_go_alone(&self) -> bool {
        self.settings.feedback_transport == FeedbackTransport::Auto
    }

    /// Sends feedback one by one to a server that takes no parts, which is remembered once it took the first.
    async fn send_alone(&self, parts: Vec<Judged>) -> Result<Reply, Failure> {
        let mut all = Reply::default();
        for (at, judged) in parts.into_iter().enumerate() {
            match self.send_feedback(judged).await {
                Ok(reply) => {
                    if reply == Reply::default() {
                        self.server.forget_multipart();
                    }
                    all.again.extend(reply.again.iter().map(|_| at));
                    all.refused.extend(reply.refused.into_iter().map(|refused| Refused { at, ..refused }));
                }
                Err(Failure { kind, status, message: reason, .. }) if kind.is_content() => {
                    all.refused.push(Refused { at, kind, status, reason });
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(all)
    }

    async fn send_feedback(&self, judged: Judged) -> Result<Reply, Failure> {
        let Judged { id, json, .. } = judged;
        match self.post("/feedback", "application/json", Body::plain(json), &FEEDBACK).await {
            Ok(()) => {
                self.tries.remove(id);
                Ok(Reply::default())
            }
            // Where nothing was ever answered, `endpoint` may point anywhere.
            Err(failure) if failure.status == Some(MISSING) && self.server.is_known() => {
                Ok(self.not_visible(id, &failure))
            }
            Err(failure) => Err(failure),
        }
    }

    /// The server takes runs in before it shows them, so that their feedback may come too early.
    fn not_visible(&self, id: Uuid, failure: &Failure) -> Reply {
        let tries = self.tries.get(id).unwrap_or(0) + 1;
        if tries < TRIES {
            self.tries.put(id, tries);
            return Reply { again: vec![0], ..Reply::default() };
        }
        self.tries.remove(id);
        let reason = format!("after {tries} tries the run is still not there: {}", failure.message);
        let refused = Refused { status: Some(MISSING), ..Refused::unresolvable_target(0, reason) };
        Reply { refused: vec![refused], ..Reply::default() }
    }

    async fn post_multipart(&self, multipart: Multipart) -> Result<(), Failure> {
        let content_type = multipart.content_type();
        let compression = self.settings.compression.unwrap_or_else(|| self.server.compression());
        let body = Body::compressed(multipart.body, compression);
        self.post("/runs/multipart", &content_type, body, &RUNS).await
    }

    async fn post(&self, path: &str, content_type: &str, body: Body, policy: &Policy) -> Result<(), Failure> {
        let request = HttpRequest::post(path).with_content_type(content_type).with_body(body);
        self.client.send(&request, policy).await?;
        self.server.now_known();
        Ok(())
    }
}

/// What a conflict with several records means for who splits them.
fn of_several(failure: Failure, count: usize, what: &str) -> Failure {
    if failure.status != Some(CONFLICT) || count < 2 {
        return failure;
    }
    let message =
        format!("LangSmith has some of these {count} {what} already and does not say which; send each alone");
    Failure { message: message.into(), ..failure }
}

/// The server has taken this write before.
const CONFLICT: u16 = 409;

/// The server has no such endpoint, or not what it was asked about.
const MISSING: u16 = 404;

/// What is known of the start of a span that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// It was sent, and no answer has come.
    Doubtful,
    /// The server took it.
    Taken,
}
