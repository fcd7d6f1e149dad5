//! New Relic's data centres, and what the key says of its own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// The data centre that an account is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Region {
    /// The United States.
    #[default]
    Us,
    /// The European Union.
    Eu,
    /// The United States for accounts under FedRAMP.
    Gov,
}

impl Region {
    /// The base address of OTLP.
    pub(crate) const fn otlp(self) -> &'static str {
        match self {
            Self::Us => "https://otlp.nr-data.net",
            Self::Eu => "https://otlp.eu01.nr-data.net",
            Self::Gov => "https://gov-otlp.nr-data.net",
        }
    }

    /// The address of the Metric API.
    pub(crate) const fn metrics(self) -> &'static str {
        match self {
            Self::Us => "https://metric-api.newrelic.com/metric/v1",
            Self::Eu => "https://metric-api.eu.newrelic.com/metric/v1",
            Self::Gov => "https://gov-metric-api.newrelic.com/metric/v1",
        }
    }

    /// The address of the Event API, with `{account_id}` in it.
    pub(crate) const fn events(self) -> &'static str {
        match self {
            Self::Us => "https://insights-collector.newrelic.com/v1/accounts/{account_id}/events",
            Self::Eu => "https://insights-collector.eu01.nr-data.net/v1/accounts/{account_id}/events",
            Self::Gov => "https://gov-insights-collector.newrelic.com/v1/accounts/{account_id}/events",
        }
    }

    /// What the license key says: keys of the European Union begin with `eu` and two digits, and with `x` after them.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        let rest = key.trim().strip_prefix("eu")?.as_bytes();
        let told = rest.len() > 2 && rest[..2].iter().all(u8::is_ascii_digit) && rest[2] == b'x';
        told.then_some(Self::Eu)
    }

    /// What an address says: the region whose own host it has.
    pub(crate) fn of_address(address: &str) -> Option<Self> {
        let own = host(address);
        let has = |region: &Self| {
            [region.otlp(), region.metrics(), region.events()].into_iter().any(|known| host(known) == own)
        };
        [Self::Us, Self::Eu, Self::Gov].into_iter().find(has)
    }

    /// What the host of an agent's collector says.
    pub(crate) fn of_collector(host: &str) -> Option<Self> {
        match host.trim().to_ascii_lowercase().as_str() {
            "gov-collector.newrelic.com" => Some(Self::Gov),
            "collector.eu01.nr-data.net" | "collector.eu.newrelic.com" => Some(Self::Eu),
            "collector.newrelic.com" => Some(Self::Us),
            _ => None,
        }
    }
}

/// The host of an address, without its port.
fn host(address: &str) -> String {
    let rest = address.trim().split("://").last().unwrap_or_default();
    rest.split(['/', ':', '?', '#']).next().unwrap_or_default().to_ascii_lowercase()
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Us => "US",
            Self::Eu => "EU",
            Self::Gov => "GOV",
        })
    }
}

impl FromStr for Region {
    type Err = String;

    /// Reads `US`, `EU` or `GOV`, in any case.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "us" => Ok(Self::Us),
            "eu" => Ok(Self::Eu),
            "gov" => Ok(Self::Gov),
            _ => Err("no such region; set US, EU or GOV".to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|cause| de::Error::custom(format!("region: {cause}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_tells_the_european_region_and_nothing_else() {
        assert_eq!(Region::of_key("eu01xxaa7460e1ea3abdfbbbd36e85c10cd0NRAL"), Some(Region::Eu));
        for key in ["033f2f2072ca3f2cb2ec39024fa9e49cd640NRAL", "eu01", "eu01aa", "euxx01", ""] {
            assert_eq!(Region::of_key(key), None, "{key}");
        }
    }

    #[test]
    fn a_region_is_read_in_any_case() {
        for (text, region) in [("US", Region::Us), ("eu", Region::Eu), (" Gov ", Region::Gov)] {
            assert_eq!(text.parse(), Ok(region));
        }
        assert_eq!("ap".parse::<Region>(), Err("no such region; set US, EU or GOV".to_owned()));
    }

    #[test]
    fn an_address_of_new_relics_own_tells_its_region() {
        for (address, region) in [
            ("https://otlp.eu01.nr-data.net:4318/v1/traces", Some(Region::Eu)),
            (" https://OTLP.nr-data.net/", Some(Region::Us)),
            ("https://gov-metric-api.newrelic.com/metric/v1", Some(Region::Gov)),
            ("https://insights-collector.newrelic.com/v1/accounts/{account_id}/events", Some(Region::Us)),
            ("http://localhost:4318", None),
            ("https://otlp.nr-data.net.example", None),
            ("", None),
        ] {
            assert_eq!(Region::of_address(address), region, "{address}");
        }
    }

    #[test]
    fn a_collector_tells_its_region() {
        assert_eq!(Region::of_collector("gov-collector.newrelic.com"), Some(Region::Gov));
        assert_eq!(Region::of_collector("collector.eu01.nr-data.net"), Some(Region::Eu));
        assert_eq!(Region::of_collector("proxy.example.com"), None);
    }
}
