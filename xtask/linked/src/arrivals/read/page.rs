//! A page of OpenMetrics: families, of which samples may name a trace and a span.

use obs_core::Signal;

use crate::arrivals::place::{Arrival, Carrier};

pub(in crate::arrivals) const ACCEPT: &str = "application/openmetrics-text; version=1.0.0";

/// The families that come of records, each with the ids that one of its samples names.
pub(in crate::arrivals) fn families(text: &str) -> Carrier {
    let mut families: Vec<(String, Arrival)> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split(' ').next()) {
            let signal = match name {
                "target" => continue,
                "obs_score" => Signal::Scores,
                "obs_feedback" => Signal::Feedback,
                _ => Signal::Metrics,
            };
            families.push((name.to_owned(), Arrival::new(signal, None, None)));
        } else if let (Some((name, arrival)), Some((sample, exemplar))) =
            (families.last_mut(), line.split_once(" # "))
            && sample.starts_with(name.as_str())
        {
            (arrival.trace, arrival.span) = (label(exemplar, "trace_id"), label(exemplar, "span_id"));
        }
    }
    families.into_iter().map(|(_, arrival)| arrival).collect()
}

fn label(exemplar: &str, name: &str) -> Option<String> {
    let (_, rest) = exemplar.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_has_the_ids_of_its_exemplar() {
        let text = "# HELP a A\n# TYPE a histogram\na_bucket{le=\"1.0\"} 1 # {trace_id=\"t\",span_id=\"s\"} 0.25 1.5\na_sum 1\n\
                    # TYPE target info\ntarget_info{x=\"y\"} 1\n# TYPE obs_score gauge\nobs_score{score=\"q\"} 0.9\n\
                    # TYPE obs_feedback counter\nobs_feedback_total 1\n# EOF\n";
        let expected = [
            Arrival::new(Signal::Metrics, Some("t"), Some("s")),
            Arrival::new(Signal::Scores, None, None),
            Arrival::new(Signal::Feedback, None, None),
        ];
        assert_eq!(families(text), expected);
    }
}
