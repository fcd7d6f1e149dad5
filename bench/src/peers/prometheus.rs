//! prometheus-client, as an application uses it.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use crate::case::Case;
use crate::metrics::LABELS;

/// The labels of the benchmark, owned as an application has them whose models come from outside.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Four {
    operation: String,
    provider: String,
    model: String,
    token_type: String,
}

impl Four {
    fn new() -> Self {
        let [operation, provider, model, token_type] = LABELS.map(|(_, value)| value.to_owned());
        Self { operation, provider, model, token_type }
    }
}

type Counters = Family<Four, Counter<f64>>;

/// A look-up with labels at hand, one with labels made for it, and a counter that is kept.
pub(crate) fn cases() -> [Case; 3] {
    let (looked_up, made, kept) = (Counters::default(), Counters::default(), Counters::default());
    let labels = Four::new();
    let bound = kept.get_or_create_owned(&labels);
    [
        case("prometheus.counter", move || {
            looked_up.get_or_create(&labels).inc_by(1.0);
        }),
        case("prometheus.counter.made", move || {
            made.get_or_create(&Four::new()).inc_by(1.0);
        }),
        case("prometheus.counter.bound", move || {
            bound.inc_by(1.0);
        }),
    ]
}

fn case(name: &'static str, add: impl Fn() + 'static) -> Case {
    Case::new(name, move |times| (0..times).for_each(|_| add()), || {})
}
