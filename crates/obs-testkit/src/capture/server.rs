//! The server.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::{Answer, Captured};

/// A server on this machine that records every request and answers by path, by script, or always the same.
///
/// What it answers is, in this order: what [`answer_for`](Self::answer_for) and [`answer_with`](Self::answer_with) have for
/// the request, the latest of them first; the next answer of the script of [`answer`](Self::answer); what
/// [`answer_always`](Self::answer_always) was given, or 200 with an empty body.
/// So a lookup that is answered by its path takes nothing from the script.
#[derive(Debug)]
pub struct CaptureServer {
    server: MockServer,
    state: Arc<Mutex<State>>,
}

struct State {
    responders: Vec<Responder>,
    script: VecDeque<Answer>,
    then: Answer,
    requests: Vec<Captured>,
}

type Responder = Arc<dyn Fn(&Captured) -> Option<Answer> + Send + Sync>;

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { responders, script, then, requests } = self;
        f.debug_struct("State")
            .field("responders", &responders.len())
            .field("script", script)
            .field("then", then)
            .field("requests", requests)
            .finish()
    }
}

impl CaptureServer {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        let (responders, script, requests) = (Vec::new(), VecDeque::new(), Vec::new());
        let state = Arc::new(Mutex::new(State { responders, script, then: Answer::status(200), requests }));
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(Recorder(Arc::clone(&state))).mount(&server).await;
        Self { server, state }
    }

    /// Where it listens, without a slash at the end: `http://127.0.0.1:1234`.
    pub fn url(&self) -> String {
        self.server.uri()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        *self.server.address()
    }

    /// Adds answers for the next requests, one each.
    pub fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        lock(&self.state).script.extend(answers);
    }

    /// What every request of this method gets whose path begins so; the method in capitals.
    pub fn answer_for(&self, method: &str, path_prefix: &str, answer: Answer) {
        let (method, prefix) = (method.to_owned(), path_prefix.to_owned());
        self.answer_with(move |request| {
            (request.method == method && request.path.starts_with(&prefix)).then(|| answer.clone())
        });
    }

    /// Asks `responder` for an answer to each request; `None` leaves the request to the others and to the script.
    pub fn answer_with(&self, responder: impl Fn(&Captured) -> Option<Answer> + Send + Sync + 'static) {
        lock(&self.state).responders.push(Arc::new(responder));
    }

    /// What every request gets when the script is over.
    pub fn answer_always(&self, answer: Answer) {
        lock(&self.state).then = answer;
    }

    /// The requests so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Captured> {
        lock(&self.state).requests.clone()
    }

    /// The requests so far, which are then forgotten.
    pub fn take_requests(&self) -> Vec<Captured> {
        std::mem::take(&mut lock(&self.state).requests)
    }

    /// The requests so far as one text for a snapshot, in the order of arrival.
    pub fn redacted_snapshot(&self) -> String {
        self.redacted_snapshot_with(|_| None)
    }

    /// The same with a reader of bodies, as [`Captured::redacted_snapshot_with`] has it.
    pub fn redacted_snapshot_with(&self, readable: impl Fn(&Captured) -> Option<String>) -> String {
        let requests: Vec<_> =
            self.requests().iter().map(|request| request.redacted_snapshot_with(&readable)).collect();
        requests.join("\n\n---\n\n")
    }
}

#[derive(Debug)]
struct Recorder(Arc<Mutex<State>>);

impl Respond for Recorder {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let captured = Captured::of(request);
        let mut state = lock(&self.0);
        state.requests.push(captured.clone());
        let responders = state.responders.clone();
        drop(state);
        // A responder may ask the server what it has recorded, so it is called without the lock.
        let found = responders.iter().rev().find_map(|responder| responder(&captured));
        let mut state = lock(&self.0);
        let found = found.or_else(|| state.script.pop_front());
        found.as_ref().unwrap_or(&state.then).template()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
