//! obs as an application uses it through `tracing`: the spans of `peers::tracing`, to the letter.

use std::error::Error;

use obs_instrument::Sampling;
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;

use crate::case::Case;
use crate::ours::{flush, instance};
use crate::payload::owned;
use crate::peers::tracing::span;

/// A model call through the layer as it is by default.
pub(crate) fn layer() -> Result<Case, Box<dyn Error>> {
    case("obs-tracing", Sampling::Always)
}

/// The same of a trace that is not sampled.
pub(crate) fn unsampled() -> Result<Case, Box<dyn Error>> {
    case("obs-tracing.unsampled", Sampling::Never)
}

fn case(name: &'static str, sampling: Sampling) -> Result<Case, Box<dyn Error>> {
    let (obs, texts) = (instance(sampling)?, owned());
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(obs_tracing::layer(&obs)));
    let burst = move |times| {
        tracing::dispatcher::with_default(&dispatch, || (0..times).for_each(|_| span(&texts)));
    };
    Ok(Case::new(name, burst, flush(&obs)))
}
