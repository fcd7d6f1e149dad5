//! Upper bounds of histogram buckets, chosen by the metric's name, then by its unit.

use std::collections::HashMap;
use std::sync::Arc;

/// OpenTelemetry's bounds for a histogram that nobody advised on; made for milliseconds.
pub const DEFAULT_BOUNDS: &[f64] =
    &[0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0, 10000.0];

/// OpenTelemetry's advice for durations of generative AI in seconds: 10 ms to 82 s, doubling.
///
/// They serve every metric in `s` without bounds of its own, because the default ones would put all of it in one bucket.
pub const SECONDS_BOUNDS: &[f64] =
    &[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

/// OpenTelemetry's advice for token counts: powers of four from 1 to 67 million.
///
/// They serve every metric in `{token}` without bounds of its own.
pub const TOKEN_BOUNDS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

/// OpenTelemetry's advice for the time to a first token or chunk, in seconds.
const FIRST_TOKEN_BOUNDS: &[f64] =
    &[0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// OpenTelemetry's advice for the time between tokens or chunks, in seconds.
const PER_TOKEN_BOUNDS: &[f64] = &[0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5];

/// Advice by the metric's whole name.
const BY_NAME: &[(&str, &[f64])] = &[
    ("gen_ai.client.operation.time_to_first_chunk", FIRST_TOKEN_BOUNDS),
    ("gen_ai.client.operation.time_per_output_chunk", PER_TOKEN_BOUNDS),
    ("gen_ai.server.time_to_first_token", FIRST_TOKEN_BOUNDS),
    ("gen_ai.server.time_per_output_token", PER_TOKEN_BOUNDS),
];

/// Advice by the metric's unit.
const BY_UNIT: &[(&str, &[f64])] = &[("s", SECONDS_BOUNDS), ("{token}", TOKEN_BOUNDS)];

/// Which bounds a histogram gets: the user's, then the built-in ones of its name, then those of its unit.
#[derive(Debug)]
pub(crate) struct Bounds {
    by_name: HashMap<String, Arc<[f64]>>,
    by_unit: Vec<(&'static str, Arc<[f64]>)>,
    default: Arc<[f64]>,
}

impl Bounds {
    pub(crate) fn new(of_user: &[(String, Vec<f64>)]) -> Self {
        let built_in = BY_NAME.iter().map(|(name, bounds)| ((*name).to_owned(), Arc::from(*bounds)));
        let of_user = of_user.iter().map(|(name, bounds)| (name.clone(), Arc::from(bounds.as_slice())));
        Self {
            by_name: built_in.chain(of_user).collect(),
            by_unit: BY_UNIT.iter().map(|(unit, bounds)| (*unit, Arc::from(*bounds))).collect(),
            default: Arc::from(DEFAULT_BOUNDS),
        }
    }

    pub(crate) fn of(&self, name: &str, unit: Option<&str>) -> &Arc<[f64]> {
        let by_unit = || Some(&self.by_unit.iter().find(|(known, _)| Some(*known) == unit)?.1);
        self.by_name.get(name).or_else(by_unit).unwrap_or(&self.default)
    }
}

/// Whether these can be bounds: finite and strictly ascending.
pub(crate) fn are_valid(bounds: &[f64]) -> bool {
    bounds.iter().all(|bound| bound.is_finite()) && bounds.windows(2).all(|pair| pair[0] < pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_list_is_valid() {
        let lists = BY_NAME.iter().chain(BY_UNIT).map(|(_, bounds)| *bounds);
        assert!(lists.chain([DEFAULT_BOUNDS]).all(are_valid));
        assert!(!are_valid(&[1.0, 1.0]) && !are_valid(&[2.0, 1.0]) && !are_valid(&[f64::NAN]));
    }

    #[test]
    fn the_users_bounds_win_then_the_name_then_the_unit() {
        let bounds = Bounds::new(&[("queue.depth".into(), vec![1.0]), (BY_NAME[2].0.into(), vec![2.0])]);
        assert_eq!(**bounds.of("queue.depth", Some("s")), [1.0]);
        assert_eq!(**bounds.of(BY_NAME[2].0, Some("s")), [2.0]);
        assert_eq!(**bounds.of(BY_NAME[3].0, Some("s")), *PER_TOKEN_BOUNDS);
        assert_eq!(**bounds.of("step.duration", Some("s")), *SECONDS_BOUNDS);
        assert_eq!(**bounds.of("gen_ai.client.token.usage", Some("{token}")), *TOKEN_BOUNDS);
        assert_eq!(**bounds.of("other", None), *DEFAULT_BOUNDS);
    }
}
