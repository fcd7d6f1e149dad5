//! What is known of each intake, as data.

use obs_core::Limits;
use obs_http::{Compression, Policy};

use crate::policies::{DISTRIBUTIONS, EVALUATIONS, LLMOBS, LOGS, OTLP, SERIES};
use crate::wire::Place;

/// What is known of an intake.
#[derive(Debug)]
pub(crate) struct Facts {
    /// What messages call it.
    pub(crate) name: &'static str,
    /// The path below its host; empty where the address is whole.
    pub(crate) path: &'static str,
    /// The path below an Agent, and the subdomain that the Agent is to send it to, where Agents pass it on.
    pub(crate) by_agent: Option<(&'static str, &'static str)>,
    pub(crate) policy: &'static Policy,
    /// The most items of a request.
    pub(crate) max_items: usize,
    /// The most bytes of a request before compression.
    pub(crate) max_bytes: usize,
    /// The most bytes of one item, where fewer are taken than of a request.
    pub(crate) max_item: usize,
    /// The compressions that it is documented to take, the default first.
    pub(crate) compressions: &'static [Compression],
}

/// Requests of LLM Observability hold at most 5 MiB and events of it 5 MB, as Datadog's own clients have it.
const LLMOBS_BYTES: usize = 5 << 20;
const LLMOBS_ITEM: usize = 5_000_000;

const LLMOBS_SPANS: Facts = Facts {
    name: "LLM Observability spans",
    path: "/api/intake/llm-obs/v1/trace/spans",
    by_agent: Some(("/evp_proxy/v2/api/v2/llmobs", "llmobs-intake")),
    policy: &LLMOBS,
    max_items: 1000,
    max_bytes: LLMOBS_BYTES,
    max_item: LLMOBS_ITEM,
    compressions: &[Compression::None],
};

const EVALUATION_METRICS: Facts = Facts {
    name: "LLM Observability evaluations",
    path: "/api/intake/llm-obs/v2/eval-metric",
    by_agent: Some(("/evp_proxy/v2/api/intake/llm-obs/v2/eval-metric", "api")),
    policy: &EVALUATIONS,
    max_items: 1000,
    max_bytes: LLMOBS_BYTES,
    max_item: LLMOBS_ITEM,
    compressions: &[Compression::None],
};

const LOGS_V2: Facts = Facts {
    name: "logs",
    path: "/api/v2/logs",
    by_agent: None,
    policy: &LOGS,
    max_items: 1000,
    max_bytes: 5_000_000,
    max_item: 1_000_000,
    compressions: &[Compression::Gzip, Compression::Deflate],
};

const SERIES_V2: Facts = Facts {
    name: "series",
    path: "/api/v2/series",
    by_agent: None,
    policy: &SERIES,
    max_items: usize::MAX,
    max_bytes: 512_000,
    max_item: 512_000,
    compressions: &[Compression::Deflate, Compression::Gzip],
};

const DISTRIBUTIONS_V1: Facts = Facts {
    name: "distribution points",
    path: "/api/v1/distribution_points",
    by_agent: None,
    policy: &DISTRIBUTIONS,
    max_items: usize::MAX,
    max_bytes: 512_000,
    max_item: 512_000,
    compressions: &[Compression::Deflate],
};

const OTLP_TRACES: Facts = Facts {
    name: "OTLP traces",
    path: "",
    by_agent: None,
    policy: &OTLP,
    max_items: 512,
    max_bytes: 4 << 20,
    max_item: 4 << 20,
    compressions: &[Compression::Gzip],
};

impl Place {
    /// What is known of it.
    pub(crate) const fn facts(self) -> &'static Facts {
        match self {
            Self::LlmobsSpans => &LLMOBS_SPANS,
            Self::Evaluations => &EVALUATION_METRICS,
            Self::Logs => &LOGS_V2,
            Self::Series => &SERIES_V2,
            Self::Distributions => &DISTRIBUTIONS_V1,
            Self::OtlpTraces => &OTLP_TRACES,
        }
    }
}

impl Facts {
    /// How much one export may be given, so that it is mostly one request.
    pub(crate) const fn limits(&self) -> Limits {
        Limits { items: self.max_items, bytes: self.max_bytes }
    }

    /// How bodies for it are compressed: as is wished where it takes that, else by its default.
    pub(crate) fn compression(&self, wished: Option<Compression>) -> Compression {
        let takes = |wished: &Compression| *wished == Compression::None || self.compressions.contains(wished);
        wished.filter(takes).unwrap_or(self.compressions[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compression_that_an_intake_is_not_documented_to_take_is_not_sent_to_it() {
        let of = |place: Place, wished| place.facts().compression(wished);
        assert_eq!(of(Place::Logs, None), Compression::Gzip);
        assert_eq!(of(Place::Logs, Some(Compression::Deflate)), Compression::Deflate);
        assert_eq!(of(Place::Logs, Some(Compression::None)), Compression::None);
        assert_eq!(of(Place::Series, Some(Compression::Gzip)), Compression::Gzip);
        assert_eq!(of(Place::Distributions, Some(Compression::Gzip)), Compression::Deflate);
        assert_eq!(of(Place::LlmobsSpans, Some(Compression::Gzip)), Compression::None);
    }
}
