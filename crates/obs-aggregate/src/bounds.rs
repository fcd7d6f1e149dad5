//! Upper bounds of histogram buckets, chosen by the metric's name, then by its unit.

use std::collections::HashMap;
use std::sync::Arc;

use obs_core::HistogramForm;

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

/// What samples of a metric become.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Explicit(Arc<[f64]>),
    Exponential,
}

impl Shape {
    pub(crate) fn form(&self) -> HistogramForm {
        match self {
            Self::Explicit(_) => HistogramForm::Explicit,
            Self::Exponential => HistogramForm::Exponential,
        }
    }
}

/// Which shape a histogram gets: the user's, then that of the reader; an explicit one without bounds of the user has those
/// that its maker advises, then the built-in ones of its name, then those of its unit.
#[derive(Debug)]
pub(crate) struct Shapes {
    of_user: HashMap<String, Shape>,
    form: HistogramForm,
    by_name: HashMap<String, Arc<[f64]>>,
    by_unit: Vec<(&'static str, Arc<[f64]>)>,
    default: Arc<[f64]>,
}

impl Shapes {
    pub(crate) fn new(
        form: HistogramForm,
        bounds: impl IntoIterator<Item = (String, Vec<f64>)>,
        exponential: impl IntoIterator<Item = String>,
        advised: impl IntoIterator<Item = (String, Vec<f64>)>,
    ) -> Self {
        let built_in = BY_NAME.iter().map(|(name, bounds)| ((*name).to_owned(), Arc::from(*bounds)));
        let advised = advised.into_iter().map(|(name, bounds)| (name, Arc::from(bounds)));
        let explicit = bounds.into_iter().map(|(name, bounds)| (name, Shape::Explicit(bounds.into())));
        let exponential = exponential.into_iter().map(|name| (name, Shape::Exponential));
        Self {
            of_user: explicit.chain(exponential).collect(),
            form,
            by_name: built_in.chain(advised).collect(),
            by_unit: BY_UNIT.iter().map(|(unit, bounds)| (*unit, Arc::from(*bounds))).collect(),
            default: Arc::from(DEFAULT_BOUNDS),
        }
    }

    /// The form that samples of a metric get.
    pub(crate) fn form(&self, name: &str) -> HistogramForm {
        if self.of_user.is_empty() {
            return self.form;
        }
        self.of_user.get(name).map_or(self.form, Shape::form)
    }

    /// The shape that samples of a metric get.
    pub(crate) fn of(&self, name: &str, unit: Option<&str>) -> Shape {
        if let Some(of_user) = self.of_user.get(name) {
            return of_user.clone();
        }
        if self.form == HistogramForm::Exponential {
            return Shape::Exponential;
        }
        let by_unit = || Some(&self.by_unit.iter().find(|(known, _)| Some(*known) == unit)?.1);
        Shape::Explicit(Arc::clone(self.by_name.get(name).or_else(by_unit).unwrap_or(&self.default)))
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
        let of_user = [("queue.depth".into(), vec![1.0]), (BY_NAME[2].0.into(), vec![2.0])];
        let advised = [("advised".into(), vec![3.0]), ("queue.depth".into(), vec![3.0])];
        let shapes = Shapes::new(HistogramForm::Explicit, of_user, [], advised);
        for (name, unit, expected) in [
            ("queue.depth", Some("s"), [1.0].as_slice()),
            (BY_NAME[2].0, Some("s"), &[2.0]),
            (BY_NAME[3].0, Some("s"), PER_TOKEN_BOUNDS),
            ("step.duration", Some("s"), SECONDS_BOUNDS),
            ("gen_ai.client.token.usage", Some("{token}"), TOKEN_BOUNDS),
            ("advised", Some("s"), &[3.0]),
            ("other", None, DEFAULT_BOUNDS),
        ] {
            assert_eq!(shapes.of(name, unit), Shape::Explicit(expected.into()), "{name}");
            assert_eq!(shapes.form(name), HistogramForm::Explicit);
        }
    }

    #[test]
    fn the_users_form_of_a_metric_wins_over_the_readers() {
        for form in [HistogramForm::Explicit, HistogramForm::Exponential] {
            let shapes =
                Shapes::new(form, [("a".into(), vec![1.0])], ["b".into()], [("c".into(), vec![1.0])]);
            assert_eq!(shapes.of("a", Some("s")), Shape::Explicit([1.0].into()));
            assert_eq!(shapes.of("b", Some("s")), Shape::Exponential);
            assert_eq!(shapes.of("c", Some("s")).form(), form);
            for name in ["a", "b", "c"] {
                assert_eq!(shapes.form(name), shapes.of(name, None).form(), "{name}");
            }
        }
    }
}
