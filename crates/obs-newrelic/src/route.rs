//! Where the requests of each API go.

use obs_core::Error;
use obs_http::{Auth, Compression, HttpConfig};
use obs_otel::OtelConfig;

use crate::{Address, MetricsApi, NewRelicConfig, Region};

/// What stands for the account's id in an address.
const ACCOUNT: &str = "{account_id}";

/// Where the requests of one API go.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Route {
    /// The option that the address is of, for messages.
    pub(crate) field: &'static str,
    /// The settings with the whole address and the key.
    pub(crate) http: HttpConfig,
}

/// Where the requests of all APIs go.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Routes {
    /// The base address of OTLP.
    pub(crate) otlp: Route,
    /// The Metric API, where metrics take that way.
    pub(crate) metrics: Option<Route>,
    /// The Event API, where the account is known.
    pub(crate) events: Option<Route>,
}

impl NewRelicConfig {
    /// The data centre: what is set, else what the key says, else the endpoint.
    pub(crate) fn data_centre(&self) -> Region {
        let of_key = || Region::of_key(self.license_key.expose());
        let of_endpoint = || Region::of_address(&self.http.endpoint);
        self.region.or_else(of_key).or_else(of_endpoint).unwrap_or_default()
    }

    /// Whether metrics go by the Metric API.
    pub(crate) fn uses_metric_api(&self) -> bool {
        match self.metrics_api {
            Some(way) => way == MetricsApi::Metric,
            None => self.metrics_api_url.is_some(),
        }
    }

    /// The addresses that follow from the options.
    ///
    /// # Errors
    /// A configuration error where the account's id is wanted and not set.
    pub(crate) fn routes(&self) -> Result<Routes, Error> {
        let region = self.data_centre();
        let otlp = Route { field: "endpoint", http: self.http(self.otlp_base(region)) };
        let metrics = self.uses_metric_api().then(|| {
            let address = given(self.metrics_api_url.as_ref(), region.metrics());
            Route { field: "metrics_api_url", http: plain(self.http(address)) }
        });
        Ok(Routes { otlp, metrics, events: self.events_route(region)? })
    }

    /// The address of OTLP without the path of a signal.
    fn otlp_base(&self, region: Region) -> String {
        let given = self.http.endpoint.trim().trim_end_matches('/');
        if given.is_empty() {
            return region.otlp().to_owned();
        }
        let paths = ["/v1/traces", "/v1/metrics", "/v1/logs"];
        paths.iter().find_map(|path| given.strip_suffix(path)).unwrap_or(given).to_owned()
    }

    fn events_route(&self, region: Region) -> Result<Option<Route>, Error> {
        let address = given(self.events_api_url.as_ref(), region.events());
        let has_place = address.contains(ACCOUNT);
        let address = match &self.account_id {
            Some(id) if has_place => address.replace(ACCOUNT, id.trim()),
            Some(id) if names_account(&address, id.trim()) => address,
            Some(_) => {
                let next = "it has neither {account_id} nor the account_id that is set; write …/v1/accounts/{account_id}/events, \
                            or leave account_id out";
                return Err(Error::config("events_api_url", next));
            }
            None if !has_place => address,
            None => match self.wants_account() {
                None => return Ok(None),
                Some(why) => {
                    let next = "set it, or NEW_RELIC_ACCOUNT_ID, to the account's id";
                    return Err(Error::config("account_id", format!("missing, and {why}; {next}")));
                }
            },
        };
        Ok(Some(Route { field: "events_api_url", http: plain(self.http(address)) }))
    }

    /// What asks for the Event API, if anything.
    fn wants_account(&self) -> Option<&'static str> {
        let usual = Self::default();
        [
            (!self.event_types.is_empty(), "event_types go to the Event API"),
            (self.events_api_url.is_some(), "events_api_url has {account_id}"),
            (self.score_event_type != usual.score_event_type, "score_event_type goes to the Event API"),
            (
                self.feedback_event_type != usual.feedback_event_type,
                "feedback_event_type goes to the Event API",
            ),
        ]
        .into_iter()
        .find_map(|(is_so, why)| is_so.then_some(why))
    }

    /// The settings for one address.
    fn http(&self, address: String) -> HttpConfig {
        let auth = Auth::header("api-key", self.license_key.expose().trim());
        self.http.clone().with_endpoint(address).with_auth(auth).with_default_compression(Compression::Gzip)
    }

    /// What obs-otel needs to know to make requests of records; it sends none of them, so that it gets no address.
    pub(crate) fn otel(&self) -> OtelConfig {
        let mut otel = OtelConfig::default()
            .with_conventions(self.conventions)
            .with_histograms(self.histograms)
            .with_max_request_size(self.max_request_size);
        otel.service_name.clone_from(&self.service_name);
        otel.service_instance_id.clone_from(&self.service_instance_id);
        otel.resource_attributes.clone_from(&self.common_attributes);
        otel
    }
}

/// Whether one of the parts of the address's path is this id.
fn names_account(address: &str, id: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    path.split('/').skip(3).any(|part| part == id)
}

/// The address that was given, else the one that is known.
fn given(address: Option<&Address>, known: &str) -> String {
    address.map_or(known, |address| address.as_str().trim()).to_owned()
}

/// The settings for an API that reads gzip and knows nothing of zstd, as OTLP does.
fn plain(http: HttpConfig) -> HttpConfig {
    match http.compression {
        Some(Compression::Zstd) => http.with_compression(Compression::Gzip),
        _ => http,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: &str = "0123456789abcdef0123456789abcdef0123NRAL";
    const EU: &str = "eu01xx6789abcdef0123456789abcdef0123NRAL";

    fn addresses(config: &NewRelicConfig) -> [String; 3] {
        let Routes { otlp, metrics, events } = config.routes().unwrap();
        let of = |route: Option<Route>| route.map(|route| route.http.endpoint).unwrap_or_default();
        [otlp.http.endpoint, of(metrics), of(events)]
    }

    #[test]
    fn every_region_has_its_hosts() {
        let all = |config: NewRelicConfig| {
            addresses(&config.with_account_id("42").with_metrics_api(MetricsApi::Metric))
        };
        let us = [
            "https://otlp.nr-data.net",
            "https://metric-api.newrelic.com/metric/v1",
            "https://insights-collector.newrelic.com/v1/accounts/42/events",
        ];
        let eu = [
            "https://otlp.eu01.nr-data.net",
            "https://metric-api.eu.newrelic.com/metric/v1",
            "https://insights-collector.eu01.nr-data.net/v1/accounts/42/events",
        ];
        let gov = [
            "https://gov-otlp.nr-data.net",
            "https://gov-metric-api.newrelic.com/metric/v1",
            "https://gov-insights-collector.newrelic.com/v1/accounts/42/events",
        ];
        assert_eq!(all(NewRelicConfig::new(US)), us);
        assert_eq!(all(NewRelicConfig::new(EU)), eu);
        assert_eq!(all(NewRelicConfig::new(US).with_region(Region::Gov)), gov);
    }

    #[test]
    fn an_address_of_ones_own_wins_and_a_signals_path_is_not_there_twice() {
        let config = NewRelicConfig::new(US)
            .with_endpoint("https://proxy/v1/traces/")
            .with_metrics_api_url("https://proxy/metrics")
            .with_events_api_url("https://proxy/{account_id}/in")
            .with_account_id("42");
        assert_eq!(addresses(&config), ["https://proxy", "https://proxy/metrics", "https://proxy/42/in"]);
    }

    #[test]
    fn the_endpoint_of_a_region_takes_the_other_addresses_with_it() {
        let config =
            NewRelicConfig::new(US).with_endpoint("https://otlp.eu01.nr-data.net").with_account_id("42");
        assert!(addresses(&config)[2].starts_with("https://insights-collector.eu01.nr-data.net/"));
    }

    #[test]
    fn an_account_is_never_guessed() {
        let config = NewRelicConfig::new(US);
        assert!(config.routes().unwrap().events.is_none());
        let named = config.clone().with_events_api_url("https://proxy/v1/accounts/7/events");
        assert_eq!(addresses(&named)[2], "https://proxy/v1/accounts/7/events");
        let wanted = config.with_event_type("A", ["a"]);
        assert!(wanted.routes().unwrap_err().message().starts_with("account_id: missing"));
    }

    #[test]
    fn an_address_that_wants_an_account_is_an_error_without_one() {
        let asked =
            NewRelicConfig::new(US).with_events_api_url("https://proxy/v1/accounts/{account_id}/events");
        let error = asked.routes().unwrap_err();
        assert!(error.message().starts_with("account_id: missing"), "{}", error.message());
        assert!(error.message().contains("events_api_url"), "{}", error.message());
    }

    #[test]
    fn an_account_and_an_address_of_another_are_an_error() {
        let of = |url: &str| NewRelicConfig::new(US).with_account_id("42").with_events_api_url(url).routes();
        for url in ["https://proxy/v1/accounts/7/events", "https://proxy", "https://proxy/accounts/420"] {
            let error = of(url).unwrap_err();
            assert!(error.message().starts_with("events_api_url: "), "{}", error.message());
        }
        for url in ["https://proxy/v1/accounts/42/events", "https://proxy/{account_id}", "https://proxy/42"] {
            assert!(of(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn metrics_take_the_metric_api_where_its_address_is_given() {
        let config = NewRelicConfig::new(US);
        assert!(!config.uses_metric_api());
        assert!(
            config
                .clone()
                .with_metrics_api_url("https://metric-api.newrelic.com/metric/v1")
                .uses_metric_api()
        );
        assert!(!config.with_metrics_api(MetricsApi::Otlp).uses_metric_api());
    }

    #[test]
    fn zstd_goes_to_otlp_alone() {
        let http = HttpConfig::default().with_compression(Compression::Zstd);
        let config = NewRelicConfig::new(US).with_account_id("42").with_http(http);
        let Routes { otlp, events, .. } = config.routes().unwrap();
        assert_eq!(otlp.http.compression, Some(Compression::Zstd));
        assert_eq!(events.unwrap().http.compression, Some(Compression::Gzip));
    }
}
