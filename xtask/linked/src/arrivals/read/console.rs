//! Lines for people: a tree for each trace, and one for everything else.

use obs_core::Signal;

use crate::arrivals::place::{Arrival, Carrier};

/// The lines that show a record: `09:58:33.000  log …  TRACE/SPAN`, or a span's below the line of its trace.
pub(in crate::arrivals) fn lines(text: &str) -> Vec<Carrier> {
    let mut trace = None;
    let mut carriers = Vec::new();
    for line in text.lines() {
        if let Some(id) = line.strip_prefix("  trace ") {
            trace = id.split(' ').next();
        } else if let Some(signal) = timed(line) {
            let (of, span) = line.rsplit(' ').next().and_then(|last| last.split_once('/')).unzip();
            carriers.push(vec![Arrival::new(signal, of, span)]);
        } else if let Some(span) = line.split(' ').find(|word| is_id(word)) {
            carriers.push(vec![Arrival::new(Signal::Traces, trace, Some(span))]);
        }
    }
    carriers
}

/// The signal of a line that begins with a time.
fn timed(line: &str) -> Option<Signal> {
    let (time, rest) = line.split_once("  ")?;
    let is_time =
        time.len() == 12 && time.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
    let word = rest.split_whitespace().next().filter(|_| is_time)?;
    Some(match word {
        "metric" => Signal::Metrics,
        "score" => Signal::Scores,
        "feedback" => Signal::Feedback,
        _ => Signal::Logs,
    })
}

fn is_id(word: &str) -> bool {
    word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_and_a_line_name_their_ids() {
        let (trace, span) = ("596422d850665a3a647830cae172ad05", "d10f676ddd43e246");
        let text = format!(
            "answer  189 µs\n  trace {trace} · service x\n\n   103 µs  └─ generation chat  {span}  gpt-4o\n                 in  What?\n\n\
             23:12:34.153  metric   a 0.25 s  model=x\n23:12:34.153  info     done  attempt=1  {trace}/{span}\n\
             23:12:34.153  score    b 0.9  {trace}/{span}\n23:12:34.153  feedback up  {trace}/{span}\n"
        );
        let of = |signal| vec![Arrival::new(signal, Some(trace), Some(span))];
        let expected = [
            of(Signal::Traces),
            vec![Arrival::new(Signal::Metrics, None, None)],
            of(Signal::Logs),
            of(Signal::Scores),
            of(Signal::Feedback),
        ];
        assert_eq!(lines(&text), expected);
    }
}
