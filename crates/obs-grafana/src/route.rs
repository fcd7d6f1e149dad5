//! Which way each signal takes: form, address, user.

use obs_core::{Error, Secret};
use obs_http::{Auth, Compression, HttpConfig};
use obs_otel::OtelConfig;
use url::Url;

use crate::{Address, GrafanaConfig, LogsVia, MetricsVia};

/// In which form a signal goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Otlp,
    Loki,
    RemoteWrite,
}

/// The way of one signal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Route {
    pub(crate) form: Form,
    /// The option that the address is of, for messages.
    pub(crate) field: &'static str,
    /// Where the user sets the credential, for messages.
    pub(crate) credential: &'static str,
    /// The settings with the whole address and the credential.
    pub(crate) http: HttpConfig,
}

/// The ways of all signals; scores and feedback go with the logs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Routes {
    pub(crate) traces: Option<Route>,
    pub(crate) metrics: Option<Route>,
    pub(crate) logs: Option<Route>,
}

/// What is particular to an address of one signal.
struct Own<'a> {
    form: Form,
    field: &'static str,
    endpoint: Option<&'a Address>,
    user_field: &'static str,
    user: Option<&'a String>,
    credential: &'static str,
    /// The path of the signal below the gateway's address.
    otlp: &'static str,
    /// The path below an address of its own that has none.
    path: &'static str,
    /// How paths end that are whole.
    whole: &'static [&'static str],
}

const GATEWAY: &str = "`instance_id` and `api_key` (GRAFANA_CLOUD_INSTANCE_ID, GRAFANA_CLOUD_API_KEY)";
/// The host that all of Grafana Cloud's addresses end with.
const CLOUD: &str = "grafana.net";

impl GrafanaConfig {
    /// The ways that follow from the options.
    ///
    /// # Errors
    /// A configuration error that names the option: an address that is missing or is another one's, a user without a key.
    pub(crate) fn routes(&self) -> Result<Routes, Error> {
        let traces = self.route(&Own {
            form: Form::Otlp,
            field: "tempo_endpoint",
            endpoint: self.tempo_endpoint.as_ref(),
            user_field: "tempo_user_id",
            user: self.tempo_user_id.as_ref(),
            credential: "`tempo_user_id` and `api_key` (GRAFANA_TEMPO_USER_ID, GRAFANA_CLOUD_API_KEY)",
            otlp: "/v1/traces",
            path: "/v1/traces",
            whole: &["/v1/traces"],
        })?;
        let (form, path, whole): (_, _, &[_]) = match self.metrics {
            MetricsVia::Otlp => (Form::Otlp, "/otlp/v1/metrics", &["/v1/metrics"]),
            MetricsVia::RemoteWrite => (Form::RemoteWrite, "/api/v1/push", &["/push", "/write"]),
        };
        let metrics = self.route(&Own {
            form,
            field: "mimir_endpoint",
            endpoint: self.mimir_endpoint.as_ref(),
            user_field: "mimir_user_id",
            user: self.mimir_user_id.as_ref(),
            credential: "`mimir_user_id` and `api_key` (GRAFANA_MIMIR_USER_ID, GRAFANA_CLOUD_API_KEY)",
            otlp: "/v1/metrics",
            path,
            whole,
        })?;
        let (form, path, whole): (_, _, &[_]) = match self.logs {
            LogsVia::Otlp => (Form::Otlp, "/otlp/v1/logs", &["/v1/logs"]),
            LogsVia::Loki => (Form::Loki, "/loki/api/v1/push", &["/push"]),
        };
        let logs = self.route(&Own {
            form,
            field: "loki_endpoint",
            endpoint: self.loki_endpoint.as_ref(),
            user_field: "loki_user_id",
            user: self.loki_user_id.as_ref(),
            credential: "`loki_user_id` and `api_key` (GRAFANA_LOKI_USER_ID, GRAFANA_CLOUD_API_KEY)",
            otlp: "/v1/logs",
            path,
            whole,
        })?;
        Ok(Routes { traces, metrics, logs })
    }

    fn route(&self, own: &Own<'_>) -> Result<Option<Route>, Error> {
        if let Some(endpoint) = own.endpoint {
            let address = address(own, endpoint.as_str())?;
            let (auth, credential) = self.own_auth(own, &address)?;
            let http = self.http(address, auth);
            return Ok(Some(Route { form: own.form, field: own.field, credential, http }));
        }
        if own.user.is_some() {
            let next = format!(
                "set, and {} is not; set it to the address that this user is of, or leave both out",
                own.field
            );
            return Err(Error::config(own.user_field, next));
        }
        if own.form != Form::Otlp {
            let next = "missing; set it to the server's address, which in Grafana Cloud stands on the page of your stack, \
                        or leave this signal to OTLP";
            return Err(Error::config(own.field, next));
        }
        let Some(base) = self.gateway()? else { return Ok(None) };
        let (auth, credential) = match &self.instance_id {
            Some(user) => (Auth::basic(Secret::new(user), self.api_key.clone()), GATEWAY),
            None => (self.http.auth.clone(), "`auth` or `headers`"),
        };
        let trimmed = base.trim_end_matches('/');
        let http = self.http(format!("{trimmed}{}", own.otlp), auth);
        Ok(Some(Route { form: Form::Otlp, field: "endpoint", credential, http }))
    }

    /// The base address of OTLP, if there is one.
    fn gateway(&self) -> Result<Option<String>, Error> {
        let endpoint = self.http.endpoint.trim();
        if !endpoint.is_empty() {
            refuse_tempo("endpoint", endpoint)?;
            let paths = ["/v1/traces", "/v1/metrics", "/v1/logs"];
            let trimmed = endpoint.trim_end_matches('/');
            let base = paths.iter().find_map(|path| trimmed.strip_suffix(path)).unwrap_or(trimmed);
            return Ok(Some(base.to_owned()));
        }
        Ok(self
            .instance_id
            .as_ref()
            .map(|_| format!("https://otlp-gateway-{}.{CLOUD}/otlp", self.zone.trim())))
    }

    /// The credential for an address of one signal, and what it is called.
    fn own_auth(&self, own: &Own<'_>, address: &str) -> Result<(Auth, &'static str), Error> {
        if let Some(user) = own.user {
            if self.api_key.expose().trim().is_empty() {
                let user = own.user_field;
                return Err(Error::config(
                    "api_key",
                    format!("empty, and {user} is set; set it to the password"),
                ));
            }
            return Ok((Auth::basic(Secret::new(user), self.api_key.clone()), own.credential));
        }
        let in_headers = self.http.headers.keys().any(|name| name.eq_ignore_ascii_case("authorization"));
        if is_cloud(address) && self.http.auth == Auth::None && !in_headers {
            let next = "missing; Grafana Cloud has another user for each of Tempo, Loki and Prometheus than for the \
                        gateway: see the details on the page of your stack";
            return Err(Error::config(own.user_field, next));
        }
        Ok((self.http.auth.clone(), "`auth` or `headers`"))
    }

    /// What obs-otel needs to know to make requests of records; it sends none of them, so that it gets no address.
    pub(crate) fn otel(&self) -> OtelConfig {
        let mut otel =
            OtelConfig::default().with_conventions(self.conventions).with_histograms(self.histograms);
        otel.service_name.clone_from(&self.service_name);
        otel.service_namespace.clone_from(&self.service_namespace);
        otel.service_instance_id.clone_from(&self.service_instance_id);
        otel.resource_attributes.clone_from(&self.resource_attributes);
        otel
    }

    /// The settings for one address.
    fn http(&self, address: String, auth: Auth) -> HttpConfig {
        self.http.clone().with_endpoint(address).with_auth(auth).with_default_compression(Compression::Gzip)
    }
}

/// The whole address that requests of a signal go to.
fn address(own: &Own<'_>, endpoint: &str) -> Result<String, Error> {
    refuse_tempo(own.field, endpoint)?;
    let Some(mut url) = Url::parse(endpoint.trim()).ok().filter(Url::has_host) else {
        // What is no address gets its error where the client is made.
        return Ok(endpoint.to_owned());
    };
    let path = url.path().trim_end_matches('/').to_owned();
    if own.form == Form::Otlp && (path.ends_with("/push") || path.ends_with("/write")) {
        let option =
            if own.field == "loki_endpoint" { "logs = \"loki\"" } else { "metrics = \"remote_write\"" };
        return Err(Error::config(
            own.field,
            format!("{path} takes no OTLP; set {option}, or another address"),
        ));
    }
    if !own.whole.iter().any(|end| path.ends_with(end)) {
        let whole = match (own.form, &*path) {
            // The address that Grafana reads Prometheus's data from; what is written goes below it.
            (Form::RemoteWrite, "/api/prom") => "/api/prom/push".to_owned(),
            (Form::RemoteWrite, "") if is_cloud(endpoint) => "/api/prom/push".to_owned(),
            (Form::Otlp, path) if path.ends_with("/otlp") => format!("{path}{}", own.otlp),
            _ => format!("{path}{}", own.path),
        };
        url.set_path(&whole);
    }
    Ok(url.into())
}

/// Refuses the address that Grafana reads traces from.
fn refuse_tempo(field: &str, endpoint: &str) -> Result<(), Error> {
    let Some(url) = Url::parse(endpoint.trim()).ok().filter(Url::has_host) else { return Ok(()) };
    if is_cloud(endpoint) && url.path().trim_end_matches('/').ends_with("/tempo") {
        let next = format!(
            "{}/tempo is where Grafana reads traces from, and takes no OTLP; leave it out and set zone, from which \
             \"https://otlp-gateway-ZONE.{CLOUD}/otlp\" follows",
            url.host_str().unwrap_or_default()
        );
        return Err(Error::config(field, next));
    }
    Ok(())
}

/// Whether an address is one of Grafana Cloud's.
pub(crate) fn is_cloud(address: &str) -> bool {
    let url = Url::parse(address.trim()).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    host.strip_suffix(CLOUD).is_some_and(|front| front.is_empty() || front.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(route: Option<Route>) -> String {
        let Route { form, http, .. } = route.unwrap();
        let auth = match &http.auth {
            Auth::Basic { user, password } => format!("{}:{}", user.expose(), password.expose()),
            other => format!("{other:?}"),
        };
        format!("{form:?} {} {auth}", http.endpoint)
    }

    #[test]
    fn grafana_cloud_takes_all_by_its_gateway() {
        let routes = GrafanaConfig::cloud("prod-eu-west-2", "1", "k").routes().unwrap();
        let base = "https://otlp-gateway-prod-eu-west-2.grafana.net/otlp/v1";
        assert_eq!(of(routes.traces), format!("Otlp {base}/traces 1:k"));
        assert_eq!(of(routes.metrics), format!("Otlp {base}/metrics 1:k"));
        assert_eq!(of(routes.logs), format!("Otlp {base}/logs 1:k"));
    }

    #[test]
    fn the_ways_of_their_own_have_users_of_their_own() {
        let config = GrafanaConfig::new("1", "k")
            .with_metrics(MetricsVia::RemoteWrite)
            .with_mimir("https://prometheus-prod-13-prod-us-east-0.grafana.net/api/prom", "2")
            .with_logs(LogsVia::Loki)
            .with_loki("https://logs-prod-006.grafana.net", "3");
        let routes = config.routes().unwrap();
        let mimir = "https://prometheus-prod-13-prod-us-east-0.grafana.net/api/prom/push";
        assert_eq!(of(routes.metrics), format!("RemoteWrite {mimir} 2:k"));
        assert_eq!(of(routes.logs), "Loki https://logs-prod-006.grafana.net/loki/api/v1/push 3:k");
        assert!(of(routes.traces).ends_with("/otlp/v1/traces 1:k"));
        let loki_user_id = None;
        let error = GrafanaConfig { loki_user_id, ..config }.routes().unwrap_err();
        assert!(error.message().starts_with("loki_user_id: missing"), "{}", error.message());
    }

    #[test]
    fn servers_of_ones_own_get_the_paths_that_they_have() {
        let own = GrafanaConfig::self_hosted()
            .with_tempo_endpoint("http://tempo:4318")
            .with_mimir_endpoint("http://mimir:9009")
            .with_loki_endpoint("http://loki:3100/");
        let routes = own.clone().routes().unwrap();
        assert_eq!(of(routes.traces), "Otlp http://tempo:4318/v1/traces None");
        assert_eq!(of(routes.metrics), "Otlp http://mimir:9009/otlp/v1/metrics None");
        assert_eq!(of(routes.logs), "Otlp http://loki:3100/otlp/v1/logs None");
        let routes = own.with_metrics(MetricsVia::RemoteWrite).with_logs(LogsVia::Loki).routes().unwrap();
        assert_eq!(of(routes.metrics), "RemoteWrite http://mimir:9009/api/v1/push None");
        assert_eq!(of(routes.logs), "Loki http://loki:3100/loki/api/v1/push None");
        for (given, expected) in [
            ("http://prometheus:9090/api/v1/write", "http://prometheus:9090/api/v1/write"),
            ("http://h/mimir/", "http://h/mimir/api/v1/push"),
            ("http://h/api/prom/push", "http://h/api/prom/push"),
        ] {
            let config = GrafanaConfig::self_hosted().with_metrics(MetricsVia::RemoteWrite);
            let routes = config.with_mimir_endpoint(given).routes().unwrap();
            assert_eq!(routes.metrics.unwrap().http.endpoint, expected);
            assert_eq!((routes.traces, routes.logs), (None, None));
        }
    }

    #[test]
    fn addresses_of_another_way_are_refused_with_the_one_that_is_meant() {
        let own = GrafanaConfig::self_hosted;
        for (config, expected) in [
            (
                own().with_endpoint("https://stack.grafana.net/tempo"),
                "endpoint: stack.grafana.net/tempo is where",
            ),
            (
                own().with_tempo_endpoint("https://tempo-prod-04.grafana.net/tempo/"),
                "tempo_endpoint: tempo-prod-04",
            ),
            (
                own().with_mimir_endpoint("http://h/api/prom/push"),
                "mimir_endpoint: /api/prom/push takes no OTLP; set metrics",
            ),
            (
                own().with_loki_endpoint("http://h/loki/api/v1/push"),
                "loki_endpoint: /loki/api/v1/push takes no OTLP; set logs",
            ),
            (own().with_logs(LogsVia::Loki), "loki_endpoint: missing"),
            (own().with_metrics(MetricsVia::RemoteWrite), "mimir_endpoint: missing"),
            (own().with_mimir("http://h", "2"), "api_key: empty, and mimir_user_id is set"),
            (
                GrafanaConfig { loki_user_id: Some("3".into()), ..GrafanaConfig::new("1", "k") },
                "loki_user_id: set, and loki_endpoint is not",
            ),
            (
                GrafanaConfig { mimir_user_id: Some("3".into()), ..own().with_endpoint("http://h") },
                "mimir_user_id: set, and mimir_endpoint is not",
            ),
        ] {
            let error = config.routes().unwrap_err();
            assert!(error.message().starts_with(expected), "{}", error.message());
        }
    }

    #[test]
    fn a_credential_among_the_headers_is_one() {
        let cloud = || GrafanaConfig::self_hosted().with_loki_endpoint("https://logs-prod-012.grafana.net");
        let with = |name: &str| {
            let http = HttpConfig::default().with_header(name, "Basic Mzpr");
            cloud().with_http(http).routes().map(|routes| routes.logs.unwrap().credential)
        };
        assert_eq!(with("Authorization").unwrap(), "`auth` or `headers`");
        assert!(with("x-other").unwrap_err().message().starts_with("loki_user_id: missing"));
    }

    #[test]
    fn only_grafanas_own_hosts_are_grafana_cloud() {
        let cloud = ["https://grafana.net", "https://a.b.grafana.net/x"].map(is_cloud);
        let other = ["https://evilgrafana.net", "https://grafana.net.example", "nonsense"].map(is_cloud);
        assert_eq!((cloud, other), ([true; 2], [false; 3]));
    }
}
