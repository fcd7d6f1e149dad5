//! One request and what came of it.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, DATE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};
use obs_core::{ErrorKind, Failure, Retry};
use tokio::time::{Instant, timeout_at};

use crate::answer::{End, is_encoded};
use crate::connector::LONGEST;
use crate::place::origin;
use crate::quote::READ;
use crate::transport::causes;
use crate::{Action, Answer, Client, HOLD, Head, Policy, Request, Trouble, retry_after};

impl Client {
    /// Sends a request and says what came of it, by the caller's policy.
    ///
    /// The deadline is the request's timeout, else the config's, and covers everything: connecting, sending, and
    /// reading the answer; what is longer than a year is a year.
    /// Dropping the future ends the request.
    /// The runtime must have time and I/O enabled.
    /// `Ok` is a status that the policy counts as success, with as much of the answer's body as was read.
    ///
    /// # Errors
    /// A status that is none, or no answer.
    /// The message names method and address without query, the cause, the next step where there is one, and what the
    /// backend said, redacted and cut; where no answer came, also whether the request may have arrived all the same.
    pub async fn send(&self, request: &Request, policy: &Policy) -> Result<Answer, Failure> {
        self.send_with_head(request, policy, |_| ()).await
    }

    /// [`send`](Self::send) that shows `look` the head of the answer, whatever its status means: for backends that say in
    /// a header what no status says.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_with_head(
        &self,
        request: &Request,
        policy: &Policy,
        look: impl FnOnce(Head<'_>),
    ) -> Result<Answer, Failure> {
        let handed_over = Arc::new(AtomicBool::new(false));
        let (place, built) = self.build(request, &handed_over)?;
        let timeout = request.timeout.unwrap_or(self.timeout).min(LONGEST);
        let deadline = Instant::now() + timeout;
        // Of a request without a body nobody can tell whether it went out.
        let arrived = || request.body.is_empty() || handed_over.load(Ordering::Relaxed);
        match timeout_at(deadline, self.http.execute(built)).await {
            Err(_) => {
                let trouble = if arrived() { Trouble::TimedOut } else { Trouble::NoConnection };
                Err(no_answer(&place, trouble, &format!("within {timeout:?}"), arrived()))
            }
            Ok(Err(error)) => {
                let trouble = Trouble::of(&error);
                let cause = self.scrubber.clean(&causes(&error));
                let connected = !error.is_connect() && !matches!(trouble, Trouble::Certificate);
                Err(no_answer(&place, trouble, &format!("({cause})"), connected && arrived()))
            }
            Ok(Ok(response)) => {
                look(Head { status: response.status().as_u16(), headers: response.headers() });
                self.classify(place, response, request, policy, deadline).await
            }
        }
    }

    /// The request as the client below takes it, and its name in messages.
    fn build(
        &self,
        request: &Request,
        handed_over: &Arc<AtomicBool>,
    ) -> Result<(String, reqwest::Request), Failure> {
        let refuse = |message: String| Failure {
            kind: ErrorKind::Config,
            retry: Retry::Never,
            status: None,
            message: message.into(),
        };
        let url =
            self.endpoint.resolve(&request.target).map_err(|cause| refuse(self.scrubber.clean(&cause)))?;
        let place = format!("{} {}", request.method, self.scrubber.clean(&self.endpoint.place_of(&url)));
        if let Some(name) = &request.bad_header {
            return Err(refuse(format!(
                "{place}: the header `{name}` has a name or value that none may have"
            )));
        }
        let mut built = reqwest::Request::new(request.method.clone(), url);
        let headers = built.headers_mut();
        headers.clone_from(&request.headers);
        // The config's headers win, since the user wrote them.
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        if let Some(encoding) = request.body.encoding().content_encoding() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        if !request.body.is_empty() || !request.method.is_safe() {
            let left = Some(request.body.bytes()).filter(|bytes| !bytes.is_empty());
            *built.body_mut() =
                Some(reqwest::Body::wrap(Watched { left, handed_over: Arc::clone(handed_over) }));
        }
        Ok((place, built))
    }

    async fn classify(
        &self,
        place: String,
        mut response: reqwest::Response,
        request: &Request,
        policy: &Policy,
        deadline: Instant,
    ) -> Result<Answer, Failure> {
        let status = response.status();
        let action = policy.action(status.as_u16());
        let wait = self.wait(response.headers());
        let Some((kind, retry)) = action.trouble(wait) else {
            let (body, end) = read(&mut response, self.max_answer, deadline).await;
            if is_page(&body) {
                return Err(a_page(&place, status));
            }
            let (status, headers) = (status.as_u16(), std::mem::take(response.headers_mut()));
            return Ok(Answer { status, headers, body, end, place });
        };
        let hint = self.hint(action, &response, request, retry);
        let encoded = is_encoded(response.headers());
        let (body, end) = read(&mut response, READ, deadline).await;
        // Words that broke off may end in half a secret, and compressed ones cannot be searched.
        let quotable = !encoded && matches!(end, End::Whole | End::Cut);
        let said = if quotable { self.scrubber.quote(&body, end == End::Cut) } else { None };
        let message = match (hint, said) {
            (Some(hint), Some(said)) => {
                format!("{place} answered {}: {hint}; it said: {said}", status.as_u16())
            }
            (Some(said), None) | (None, Some(said)) => {
                format!("{place} answered {}: {said}", status.as_u16())
            }
            (None, None) => format!("{place} answered {}: {}", status.as_u16(), reason(status)),
        };
        Err(Failure { kind, retry, status: Some(status.as_u16()), message: message.into() })
    }

    /// How long the backend asks to be left alone.
    fn wait(&self, headers: &HeaderMap) -> Option<Duration> {
        let text =
            |value: Option<&HeaderValue>| value.and_then(|value| value.to_str().ok().map(ToOwned::to_owned));
        let now = self.clock.as_ref().map(|clock| clock());
        retry_after(&text(headers.get(RETRY_AFTER))?, text(headers.get(DATE)).as_deref(), now)
    }

    /// What the status means, and the next step.
    fn hint(
        &self,
        action: Action,
        response: &reqwest::Response,
        request: &Request,
        retry: Retry,
    ) -> Option<String> {
        let status = response.status();
        Some(match action {
            Action::Auth if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                "the proxy does not accept the credentials; check the user and password in `proxy`".into()
            }
            Action::Auth => format!("the credential is not accepted; check {}", self.credential),
            Action::Hold if status.is_redirection() => match self.redirect_origin(response) {
                Some(there) => format!("it redirects to {there}, which is not followed; check `endpoint`"),
                None => "it redirects, which is not followed; check `endpoint`".into(),
            },
            Action::Hold => out(status, request),
            Action::RateLimit | Action::Retry | Action::Backoff => match retry {
                Retry::After(wait) => format!("it asks to wait {wait:?}"),
                _ => return None,
            },
            Action::TooLarge => {
                format!("the request of {} bytes is larger than it takes", request.body.len())
            }
            Action::Success | Action::Reject => return None,
        })
    }

    /// Scheme, host and port of where a redirect leads; the rest may be a secret.
    fn redirect_origin(&self, response: &reqwest::Response) -> Option<String> {
        let location = response.headers().get(LOCATION)?.to_str().ok()?;
        let there = response.url().join(location).ok().filter(url::Url::has_host)?;
        Some(self.scrubber.clean(&origin(&there)))
    }
}

/// Whether an answer is a web page: no backend takes telemetry with one, while portals, proxies and log-in walls answer so
/// to everything.
fn is_page(body: &[u8]) -> bool {
    let body = body.trim_ascii_start();
    let begins =
        |mark: &str| body.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark.as_bytes()));
    begins("<!doctype html") || begins("<html")
}

fn a_page(place: &str, status: StatusCode) -> Failure {
    let (kind, retry) = (ErrorKind::Config, Retry::Hold(HOLD));
    let message = format!(
        "{place} answered {} with a web page, which no backend does that takes telemetry; check `endpoint`",
        status.as_u16()
    );
    Failure { kind, retry, status: Some(status.as_u16()), message: message.into() }
}

/// A failure without an answer; the place and the cause are clean already.
fn no_answer(place: &str, trouble: Trouble, cause: &str, may_have_arrived: bool) -> Failure {
    let (kind, retry) = trouble.classify();
    let (what, next_step) = trouble.says();
    let mut message = format!("{place}: {what} {cause}");
    if let Some(step) = next_step {
        let _ = write!(message, "; {step}");
    }
    message.push_str(if may_have_arrived {
        "; it may have arrived all the same: sent again, its records keep their ids"
    } else {
        "; nothing was sent"
    });
    Failure { kind, retry, status: None, message: message.into() }
}

/// Why the destination is out, and the next step.
fn out(status: StatusCode, request: &Request) -> String {
    match status {
        StatusCode::PAYMENT_REQUIRED => {
            "the account's plan or payment does not cover it; check both with the backend".into()
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            format!("the service there takes no {}; check `endpoint`", request.method)
        }
        StatusCode::GONE => "the service is there no more; check `endpoint`".into(),
        _ => "there is no such service; check `endpoint`".into(),
    }
}

fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("no reason was given")
}

/// Reads a body up to a limit and a deadline.
async fn read(response: &mut reqwest::Response, limit: usize, deadline: Instant) -> (Bytes, End) {
    let mut body = BytesMut::new();
    let end = loop {
        match timeout_at(deadline, response.chunk()).await {
            Err(_) => break End::TimedOut,
            Ok(Err(_)) => break End::Broken,
            Ok(Ok(None)) => break End::Whole,
            Ok(Ok(Some(chunk))) => {
                let room = limit - body.len();
                body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if chunk.len() > room {
                    break End::Cut;
                }
            }
        }
    };
    (body.freeze(), end)
}

/// A body that tells when the connection took it.
struct Watched {
    left: Option<Bytes>,
    handed_over: Arc<AtomicBool>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.handed_over.store(true, Ordering::Relaxed);
        Poll::Ready(self.left.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
