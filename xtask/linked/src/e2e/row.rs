//! The figures of a run, as a table.

use std::fmt::Write as _;

use super::fact::Compared;

/// What one way into one backend came to.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// What was sent.
    pub(crate) what: String,
    pub(crate) backend: &'static str,
    pub(crate) transport: String,
    /// Records that were sent.
    pub(crate) sent: usize,
    /// Requests, where they are known.
    pub(crate) requests: Option<usize>,
    pub(crate) compared: Compared,
}

impl Row {
    /// What is wrong, each with where it is.
    pub(crate) fn wrong(&self) -> Vec<String> {
        let Self { what, backend, transport, compared, .. } = self;
        compared.wrong.iter().map(|wrong| format!("{what} to {backend} by {transport}: {wrong}")).collect()
    }

    fn cells(&self) -> [String; 6] {
        let Compared { expected, equal, .. } = self.compared;
        let requests = self.requests.map_or_else(|| "–".to_owned(), |requests| requests.to_string());
        [
            self.what.clone(),
            self.backend.to_owned(),
            self.transport.clone(),
            self.sent.to_string(),
            format!("{equal}/{expected}"),
            requests,
        ]
    }
}

const HEAD: [&str; 6] = ["what", "backend", "transport", "records", "read back equal", "requests"];

/// A line for each row.
pub(crate) fn table(rows: &[Row]) -> String {
    let lines: Vec<_> =
        std::iter::once(HEAD.map(ToOwned::to_owned)).chain(rows.iter().map(Row::cells)).collect();
    let mut out = String::new();
    for line in &lines {
        for (at, cell) in line.iter().enumerate() {
            let width = lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
            let _ = if at < 3 { write!(out, "{cell:<width$}  ") } else { write!(out, "{cell:>width$}  ") };
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
    }
    out
}

/// The most faults that are told; the rest is most often of the same kind.
const TOLD: usize = 40;

pub(crate) fn told(wrong: &[String]) -> String {
    let mut lines = vec!["what was read back is not what was recorded:"];
    lines.extend(wrong.iter().take(TOLD).map(String::as_str));
    let more = wrong.len().saturating_sub(TOLD);
    let more = if more == 0 { String::new() } else { format!("\n  and {more} more") };
    lines.join("\n  ") + &more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_below_each_other_and_faults_say_where_they_are() {
        let compared = Compared { expected: 12, equal: 11, wrong: vec!["span a: not there".into()] };
        let row = Row {
            what: "fixtures, spans".into(),
            backend: "prometheus",
            transport: "pull".into(),
            sent: 14,
            requests: None,
            compared,
        };
        let text = "what             backend     transport  records  read back equal  requests\n\
                    fixtures, spans  prometheus  pull            14            11/12         –\n";
        assert_eq!(table(std::slice::from_ref(&row)), text);
        assert_eq!(row.wrong(), ["fixtures, spans to prometheus by pull: span a: not there"]);
    }

    #[test]
    fn no_more_is_told_than_a_reader_takes() {
        let wrong: Vec<_> = (0..TOLD + 2).map(|nth| nth.to_string()).collect();
        let told = told(&wrong);
        assert_eq!((told.lines().count(), told.lines().last()), (TOLD + 2, Some("  and 2 more")));
    }
}
