//! Where requests are sent, and nowhere else.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Error, ErrorKind, Exporter, Failure, Health, Limits, Mappers, Receipt, Reply, Retry,
    Signal, deliver,
};
use obs_http::{Auth, Client, Request as HttpRequest};

use crate::address::{Address, PLATFORM};
use crate::config::TOKEN;
use crate::cool_down::CoolDown;
use crate::pack::{MAX_ITEMS, Request, Route, probe};
use crate::policy::PUBLISH;
use crate::{MastraConfig, feedback, logs, metrics, quota, scores, traces};

/// What every Mastra exporter is and takes; it follows from the table of mappers.
pub const DESCRIPTOR: Descriptor = Descriptor::of("mastra", &MastraExporter::MAPPERS)
    .with_all_limits(Limits { items: MAX_ITEMS, bytes: 4 << 20 })
    .with_remark(Signal::Traces, "spans that have ended; what happened during them as event spans")
    .with_remark(
        Signal::Metrics,
        "each measurement; Mastra keeps no kind of metric, which stands in the metadata; a histogram is its sum",
    )
    .with_remark(Signal::Scores, "numbers and truth values; words are feedback, since Mastra's scores are numbers")
    .with_remark(Signal::Feedback, "numbers and words; a truth value is 0 or 1");

/// Sends traces, logs, metrics, scores and feedback to the Mastra platform.
///
/// It can be made anywhere, also outside of a runtime; nothing is sent before the first batch.
#[derive(Debug)]
pub struct MastraExporter {
    descriptor: Descriptor,
    client: Client,
    address: Address,
    max_request_size: usize,
    cool_down: CoolDown,
    /// Whether the quota was used up when the platform was last asked.
    paused: AtomicBool,
    closed: AtomicBool,
}

impl MastraExporter {
    /// Which mapper serves which signal.
    const MAPPERS: Mappers<Self, Request> = Mappers::NONE
        .traces(traces::map)
        .logs(logs::map)
        .metrics(metrics::map)
        .scores(scores::map)
        .feedback(feedback::map);

    /// Checks the configuration.
    ///
    /// # Errors
    /// A configuration error that names the field and the next step.
    pub fn new(config: MastraConfig) -> Result<Self, Error> {
        config.validate()?;
        let MastraConfig { access_token, project_id, max_request_size, http } = config;
        let http = http.with_default_endpoint(PLATFORM).with_auth(Auth::bearer(access_token.expose().trim()));
        let address = Address::of(&http.endpoint, project_id.as_deref());
        let client = Client::new(&http.with_endpoint(address.base.clone())).map_err(named)?;
        let max_request_size = usize::try_from(max_request_size.get()).unwrap_or(usize::MAX);
        Ok(Self {
            descriptor: DESCRIPTOR.with_all_limits(Limits { items: MAX_ITEMS, bytes: max_request_size }),
            client: client.with_credential_name(TOKEN),
            address,
            max_request_size,
            cool_down: CoolDown::new(),
            paused: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        })
    }

    /// Sets where the chances come from, each in `0.0..1.0`, by which rests after refused credentials differ, for tests
    /// that want to know them; by default each process has its own.
    #[must_use]
    pub fn with_chance(self, chance: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self { cool_down: CoolDown::with_chance(chance), ..self }
    }

    /// The bodies that a batch becomes, in the order in which they would be sent; nothing is sent.
    ///
    /// Records that cannot be sent leave nothing.
    pub fn encode(&self, batch: &Batch) -> Vec<Vec<u8>> {
        let calls = Self::MAPPERS.map(self, batch).unwrap_or_default().calls;
        calls.into_iter().flat_map(|call| call.request.bodies).collect()
    }

    pub(crate) fn max_request_size(&self) -> usize {
        self.max_request_size
    }

    /// Posts what carries some records, and says what they came to.
    ///
    /// While the quota is used up, an empty request asks first, so that the records need not go there in vain.
    async fn send(&self, request: Request) -> Result<Reply, Failure> {
        if self.paused.load(Ordering::Acquire) {
            match self.post(Route::Spans, probe()).await {
                // What is refused of an empty request says nothing of the records; the platform talks.
                Err(failure) if !failure.kind.is_content() => return Err(failure),
                _ => {}
            }
        }
        for body in request.bodies {
            if self.closed.load(Ordering::Acquire) {
                let message = "the platform: shut down meanwhile".into();
                return Err(Failure { kind: ErrorKind::Closed, retry: Retry::Never, status: None, message });
            }
            self.post(request.route, body).await?;
        }
        Ok(Reply::default())
    }

    /// Posts one body, and keeps count of refused credentials.
    async fn post(&self, route: Route, body: Vec<u8>) -> Result<(), Failure> {
        let seen = self.cool_down.seen();
        match self.ask(route, body).await {
            Ok(()) => {
                self.cool_down.accepted();
                Ok(())
            }
            Err(failure) if failure.kind == ErrorKind::Auth => {
                Err(Failure { retry: Retry::Hold(self.cool_down.refused(seen)), ..failure })
            }
            Err(failure) => Err(failure),
        }
    }

    async fn ask(&self, route: Route, body: Vec<u8>) -> Result<(), Failure> {
        let (name, value) = quota::CAPABILITIES;
        let request = HttpRequest::post(self.address.path(route))
            .with_content_type("application/json")
            .with_header(name, value)
            .with_body(self.client.body(body));
        let mut pause = None;
        let sent = self.client.send_with_head(&request, &PUBLISH, |head| pause = quota::pause(&head)).await;
        // Who gave no answer said nothing of the quota.
        if !matches!(sent, Err(Failure { status: None, .. })) {
            self.paused.store(pause.is_some(), Ordering::Release);
        }
        match (pause, sent) {
            (None, sent) => sent.map(|_| ()),
            (Some(pause), Ok(answer)) => {
                let said = self.client.quote(&String::from_utf8_lossy(answer.body()));
                Err(quota::failure(pause, said.as_deref()))
            }
            (Some(pause), Err(failure)) => Err(quota::failure(pause, Some(&failure.message))),
        }
    }
}

/// An error that names the option that the credential is.
fn named(error: Error) -> Error {
    match error.message().strip_prefix("auth: ") {
        Some(cause) => Error::config("access_token", cause),
        None => error,
    }
}

#[async_trait]
impl Exporter for MastraExporter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::closed(self.descriptor.kind(), batch));
        }
        let Some(mapped) = Self::MAPPERS.map(self, batch) else {
            return Err(Error::unsupported(self.descriptor.kind(), batch));
        };
        deliver(batch, mapped, |request| self.send(request)).await
    }

    /// Publishes an empty list of spans, which the platform takes without keeping anything: that proves the address, the
    /// token and the quota.
    async fn check(&self) -> Health {
        if self.closed.load(Ordering::Acquire) {
            return Health::Unhealthy("shut down; make a new exporter".into());
        }
        Health::of(self.ask(Route::Spans, probe()).await)
    }

    async fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.closed.store(true, Ordering::Release);
        Ok(())
    }
}
