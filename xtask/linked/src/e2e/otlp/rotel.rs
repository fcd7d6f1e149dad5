//! The collector between: it takes OTLP, makes of it what it holds itself, and sends that on.

use anyhow::Result;
use obs_core::{Attributes, Metric, MetricValue, Record, SpanRecord, Value};

use crate::e2e::Scene;
use crate::e2e::install::Program;
use crate::e2e::stage::free_ports;

const NAME: &str = "rotel";

/// A running collector.
#[derive(Debug)]
pub(super) struct Rotel {
    pub(super) http: u16,
    pub(super) grpc: u16,
}

impl Rotel {
    /// One that sends on to this port.
    pub(super) fn start(scene: &Scene, onward: u16) -> Result<Self> {
        let [http, grpc] = free_ports()?;
        let words = format!(
            "start --otlp-http-endpoint 127.0.0.1:{http} --otlp-grpc-endpoint 127.0.0.1:{grpc} --exporter otlp \
             --otlp-exporter-protocol http --otlp-exporter-endpoint http://127.0.0.1:{onward}"
        );
        let words: Vec<_> = words.split_whitespace().map(ToOwned::to_owned).collect();
        scene.stage.start(NAME, scene.shelf.path(Program::Rotel)?, &words, &[])?;
        // It has no address that says whether it is ready, so that open doors must do.
        let open = async |port: u16| tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok();
        scene.stage.ready(NAME, async || open(http).await && open(grpc).await)?;
        Ok(Self { http, grpc })
    }
}

/// What this version of the collector reads of a record in JSON.
///
/// It refuses a request with an attribute that has no value, and loses points with exemplars and histograms whose counts
/// stand in quotes, as OTLP has them in JSON.
pub(super) fn of_json(record: &Record) -> Option<Record> {
    let mut record = record.clone();
    match &mut record {
        Record::Span(SpanRecord::Ended(span)) => {
            let own = std::mem::take(&mut span.attributes);
            span.attributes =
                own.into_iter().filter(|(_, value)| *value != Value::Null).collect::<Attributes>();
        }
        Record::Metric(Metric {
            value: MetricValue::Sample(_) | MetricValue::Histogram(_) | MetricValue::ExpHistogram(_),
            ..
        }) => return None,
        Record::Metric(metric) => metric.exemplar = None,
        _ => {}
    }
    Some(record)
}
