//! Where requests are sent, and nowhere else.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use obs_core::{
    Batch, Descriptor, Error, Exporter, Failure, Health, Limits, Mapped, Mappers, Receipt, Reply, Secret,
    Signal, Signals, Timestamp, deliver_abreast,
};
use obs_http::{Client, Policy, Request as HttpRequest};

use crate::address::Address;
use crate::check::{Check, worse};
use crate::plan::{Plan, Route};
use crate::validate::{MOST_BYTES, MOST_ITEMS};
use crate::wire::Request;
use crate::{Method, Signing, WebhookConfig, feedback, logs, metrics, policy, scores, traces};

/// What every webhook exporter may take at most; one's own limits and signals narrow it.
const AT_THE_END: Descriptor = Descriptor::of("webhook", &WebhookExporter::MAPPERS)
    .with_all_limits(Limits { items: MOST_ITEMS, bytes: MOST_BYTES })
    .with_remark(Signal::Metrics, "as records, or as series by `metric_form`");

/// What every webhook exporter is and takes; it follows from the table of mappers.
pub const DESCRIPTOR: Descriptor = AT_THE_END.with_started();

/// Sends all signals to any HTTP API.
///
/// It can be made anywhere, also outside of a runtime; nothing is sent before the first batch.
pub struct WebhookExporter {
    descriptor: Descriptor,
    plan: Plan,
    destinations: Vec<Destination>,
    method: Method,
    policy: Policy,
    signing: Option<Signing>,
    idempotency_header: Option<String>,
    abreast: usize,
    check: Check,
    closed: AtomicBool,
}

/// An address that requests go below.
struct Destination {
    base: String,
    client: Client,
    /// Parts of paths that look like keys and that the client does not know.
    hidden: Vec<String>,
}

/// Shows neither the address, which may be a credential, nor parts of it that look like keys.
impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destination").field("client", &self.client).finish_non_exhaustive()
    }
}

impl WebhookExporter {
    /// Which mapper serves which signal.
    const MAPPERS: Mappers<Self, Request> = Mappers::NONE
        .traces(traces::map)
        .metrics(metrics::map)
        .logs(logs::map)
        .scores(scores::map)
        .feedback(feedback::map);

    /// Checks the configuration, and compiles the template if there is one.
    ///
    /// # Errors
    /// A configuration error that names the field and the next step.
    pub fn new(config: WebhookConfig) -> Result<Self, Error> {
        config.validate()?;
        let policy = policy::of(&config)?;
        let (mut destinations, mut routes) = (Vec::new(), [const { None }; Signal::COUNT]);
        let mut taken = Signals::NONE;
        for signal in Signal::ALL {
            let wanted = config.signals.as_ref().is_none_or(|signals| signals.contains(&signal));
            if wanted && config.has_address(signal) {
                routes[signal.index()] = Some(route(&config, signal, &mut destinations)?);
                taken = taken.with(signal);
            }
        }
        let whole = if config.span_starts { DESCRIPTOR } else { AT_THE_END };
        let bytes = usize::try_from(config.max_bytes.get()).unwrap_or(MOST_BYTES);
        let descriptor = whole
            .with_all_limits(Limits { items: config.max_items, bytes })
            .with_metric_form(config.metric_form.into())
            .narrowed(taken);
        let plan = Plan::new(&config, routes, Arc::new(wall_clock))?;
        let check = Check::of(&config);
        let WebhookConfig { method, signing, idempotency_header, max_concurrent_requests: abreast, .. } =
            config;
        let closed = AtomicBool::new(false);
        Ok(Self {
            descriptor,
            plan,
            destinations,
            method,
            policy,
            signing,
            idempotency_header,
            abreast,
            check,
            closed,
        })
    }

    /// Takes the wall time from this clock: for signatures, for `now` in templates, and for dates in `Retry-After`.
    ///
    /// By default it is the system's.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let clock = Arc::new(clock);
        for destination in &mut self.destinations {
            let clock = Arc::clone(&clock);
            destination.client = destination.client.clone().with_clock(move || clock());
        }
        self.plan.clock = clock;
        self
    }

    /// The bodies that a batch becomes, in the order in which they would be sent and before they are compressed; nothing is
    /// sent.
    ///
    /// Records that cannot be sent, and signals that are not taken, leave nothing.
    pub fn encode(&self, batch: &Batch) -> Vec<Vec<u8>> {
        let calls = Self::MAPPERS.map(self, batch).unwrap_or_default().calls;
        calls.into_iter().map(|call| call.request.body).collect()
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Sends one request, signed with the time at which it is sent.
    async fn send(&self, request: Request) -> Result<Reply, Failure> {
        let Request { route, target, body, content_type, id } = request;
        let Destination { client, hidden, .. } = &self.destinations[route];
        let body = client.body(body);
        let mut http = match self.method {
            Method::Post => HttpRequest::post(target),
            Method::Put => HttpRequest::put(target),
            Method::Patch => HttpRequest::patch(target),
        };
        let by_format = self.plan.format().content_type();
        http = http.with_content_type(content_type.as_deref().unwrap_or(by_format));
        let id = id.unwrap_or_default();
        if let Some(name) = &self.idempotency_header {
            http = http.with_header(name, &id);
        }
        if let Some(signing) = &self.signing {
            for (name, value) in signing.sign(&id, (self.plan.clock)(), &body.bytes()) {
                http = http.with_header(name, &value);
            }
        }
        let sent = client.send(&http.with_body(body), &self.policy).await;
        sent.map(|_| Reply::default()).map_err(|failure| without(failure, hidden))
    }
}

/// Where a signal goes; destinations are shared by signals of one address.
fn route(
    config: &WebhookConfig,
    signal: Signal,
    destinations: &mut Vec<Destination>,
) -> Result<Route, Error> {
    let own = config.endpoints.get(&signal).map(Secret::expose);
    let field = own.map_or_else(|| "endpoint".to_owned(), |_| format!("endpoints.{signal}"));
    let template = own.unwrap_or(&config.http.endpoint);
    let address = Address::parse(&field, template, signal, &config.url_values)?;
    let known = destinations.iter().position(|destination| destination.base == address.base());
    let at = known.unwrap_or(destinations.len());
    if known.is_none() {
        let mut http = config.http.clone().with_endpoint(address.base());
        for (name, value) in &config.plain_headers {
            http = http.with_plain_header(name, value.as_str());
        }
        let client = Client::new(&http).map_err(|error| {
            let message = error.message().strip_prefix("endpoint: ").map(|rest| format!("{field}: {rest}"));
            Error::without_records(error.kind(), message.unwrap_or_else(|| error.message().to_owned()))
        })?;
        let client = client
            .with_clock(wall_clock)
            .with_credential_name("`auth` (OBS_WEBHOOK_TOKEN) or `headers`")
            .with_secrets(config.form_fields.values().cloned());
        destinations.push(Destination { base: address.base().to_owned(), client, hidden: Vec::new() });
    }
    destinations[at].hidden.extend(address.hidden());
    Ok(Route { at, address })
}

/// A failure that shows none of these parts of an address.
fn without(failure: Failure, hidden: &[String]) -> Failure {
    let shown = hidden.iter().fold(failure.message.into_string(), |message, part| message.replace(part, "…"));
    Failure { message: shown.into(), ..failure }
}

#[expect(clippy::disallowed_methods, reason = "the one place of this crate that reads the wall clock")]
fn wall_clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Timestamp::default().saturating_add(since)
}

impl fmt::Debug for WebhookExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookExporter")
            .field("signals", &self.descriptor.signals())
            .field("plan", &self.plan)
            .field("destinations", &self.destinations)
            .field("method", &self.method)
            .field("signing", &self.signing)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Exporter for WebhookExporter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn export(&self, batch: &Batch) -> Result<Receipt, Error> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::closed(self.descriptor.kind(), batch));
        }
        if !self.descriptor.support(batch.signal()).is_some() {
            return Err(Error::unsupported(self.descriptor.kind(), batch));
        }
        let mapped: Option<Mapped<Request>> = Self::MAPPERS.map(self, batch);
        let Some(mapped) = mapped else { return Err(Error::unsupported(self.descriptor.kind(), batch)) };
        deliver_abreast(batch, mapped, self.abreast, |request| self.send(request)).await
    }

    /// Asks every destination as `check_method` says; the worst of the answers is told.
    async fn check(&self) -> Health {
        if self.closed.load(Ordering::Acquire) {
            return Health::Unhealthy("shut down; make a new exporter".into());
        }
        let mut health = Health::Healthy;
        for Destination { client, base, .. } in &self.destinations {
            health = worse(health, self.check.ask(client, base).await);
        }
        health
    }

    async fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), Error> {
        self.closed.store(true, Ordering::Release);
        Ok(())
    }
}
