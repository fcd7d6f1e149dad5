//! Sending: the one place where requests leave.

use obs_core::{ErrorKind, Failure, Refused, Reply, Retry};
use obs_http::{Answer, Body, Policy, Request as HttpRequest};
use uuid::Uuid;

use crate::LangsmithExporter;
use crate::config::FeedbackTransport;
use crate::judgement::Judged;
use crate::multipart::{Multipart, batch, signature, signature_of_feedback};
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
            Request::FeedbackParts(parts) => self.send_parts(&parts).await.map(|()| Reply::default()),
            Request::Feedback(judged) => self.send_feedback(judged).await,
        }
    }

    /// Sends runs together, and one by one where the server says of some of them that it had them before.
    ///
    /// Such an answer settles all of them only where the very same request may have arrived: else it speaks of some, and
    /// does not say of which.
    async fn send_runs(&self, mut runs: Vec<Run>) -> Result<(), Failure> {
        let signature = signature(&runs);
        let answer = self.in_doubt(signature, || self.upload(&runs)).await?;
        match answer {
            Outcome::Taken => {}
            Outcome::Known if runs.len() == 1 => self.update_if_known(&mut runs[0]).await?,
            Outcome::Known => {
                for run in &mut runs {
                    let one = std::slice::from_mut(run);
                    if self.upload(one).await?.status() == CONFLICT {
                        self.update_if_known(&mut one[0]).await?;
                    }
                }
            }
        }
        for run in &runs {
            self.remember(run);
        }
        Ok(())
    }

    /// Brings a run's end to a server that has its start, which another process may have sent.
    async fn update_if_known(&self, run: &mut Run) -> Result<(), Failure> {
        if self.settings.post_on_start && run.phase == Phase::Whole && run.verb == Verb::Post {
            run.verb = Verb::Patch;
            self.upload(std::slice::from_ref(run)).await?;
        }
        Ok(())
    }

    fn remember(&self, run: &Run) {
        match run.phase {
            Phase::Started => self.posted.put(run.span, ()),
            Phase::Whole => drop(self.posted.remove(run.span)),
        }
        if run.is_root {
            self.roots.put(run.span.0, run.id);
        }
        if let Some(tree) = run.tree_apart {
            self.apart.put(run.span, tree);
        }
    }

    /// Posts runs as multipart, or as JSON where the server does not take that.
    async fn upload(&self, runs: &[Run]) -> Result<Answer, Failure> {
        let as_json = || self.post("/runs/batch", "application/json", Body::plain(batch(runs)), &RUNS);
        if !self.server.takes_multipart() {
            return as_json().await;
        }
        match self.post_multipart(Multipart::of_runs(runs)).await {
            Err(failure) if failure.status == Some(404) => {
                let answer = as_json().await?;
                self.server.forget_multipart();
                Ok(answer)
            }
            answer => answer,
        }
    }

    async fn send_parts(&self, parts: &[Judged]) -> Result<(), Failure> {
        let whole = Multipart::of_feedback(named(parts));
        let signature = signature_of_feedback(parts.iter().map(|part| part.id));
        let taken = match self.in_doubt(signature, || self.post_multipart(whole)).await {
            Ok(taken) => taken,
            Err(failure) if failure.status == Some(404) => return Err(self.without_parts(failure)),
            Err(failure) => return Err(failure),
        };
        if taken == Outcome::Known && parts.len() > 1 {
            for part in parts {
                self.post_multipart(Multipart::of_feedback(named(std::slice::from_ref(part)))).await?;
            }
        }
        Ok(())
    }

    /// The server takes no parts: the same feedback goes one by one the next time.
    fn without_parts(&self, failure: Failure) -> Failure {
        if self.settings.feedback_transport == FeedbackTransport::Multipart {
            return failure;
        }
        self.server.forget_multipart();
        let message = "LangSmith takes no multipart bodies here; feedback goes one by one from now on";
        Failure { kind: ErrorKind::Unavailable, retry: Retry::Backoff, message: message.into(), ..failure }
    }

    async fn send_feedback(&self, judged: Judged) -> Result<Reply, Failure> {
        let Judged { id, json, .. } = judged;
        match self.post("/feedback", "application/json", Body::plain(json), &FEEDBACK).await {
            Ok(_) => {
                self.tries.remove(id);
                Ok(Reply::default())
            }
            Err(failure) if failure.status == Some(404) => Ok(self.not_visible(id, &failure)),
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
        let refused = Refused { status: Some(404), ..Refused::unresolvable_target(0, reason) };
        Reply { refused: vec![refused], ..Reply::default() }
    }

    /// Sends a request, and says what an answer of 409 means: that all of it is there, where the same request was sent
    /// before and its answer never came, else that some of it is.
    async fn in_doubt<F: Future<Output = Result<Answer, Failure>>>(
        &self,
        signature: u128,
        send: impl FnOnce() -> F,
    ) -> Result<Outcome, Failure> {
        let doubted = self.doubts.get(signature).is_some();
        // The future may be dropped before the answer comes.
        self.doubts.put(signature, ());
        let answer = send().await;
        if !answer.as_ref().is_err_and(may_have_arrived) {
            self.doubts.remove(signature);
        }
        let known = answer?.status() == CONFLICT && !doubted;
        Ok(if known { Outcome::Known } else { Outcome::Taken })
    }

    async fn post_multipart(&self, multipart: Multipart) -> Result<Answer, Failure> {
        let content_type = multipart.content_type();
        let compression = self.settings.compression.unwrap_or_else(|| self.server.compression());
        let body = Body::compressed(multipart.body, compression);
        self.post("/runs/multipart", &content_type, body, &RUNS).await
    }

    async fn post(
        &self,
        path: &str,
        content_type: &str,
        body: Body,
        policy: &Policy,
    ) -> Result<Answer, Failure> {
        let request = HttpRequest::post(path).with_content_type(content_type).with_body(body);
        self.client.send(&request, policy).await
    }
}

/// Whether the server may have taken a request that failed: it broke down over it, or its answer never came.
fn may_have_arrived(failure: &Failure) -> bool {
    let sent = || !failure.message.ends_with("nothing was sent");
    failure.status.map_or_else(sent, |status| status >= 500)
}

/// The server has taken this write before.
const CONFLICT: u16 = 409;

/// What became of a request that passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// All of it is there.
    Taken,
    /// Some of it was there before; of the rest the server does not speak.
    Known,
}
