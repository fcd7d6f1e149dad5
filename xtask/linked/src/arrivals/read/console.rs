//! Lines for people: a tree for each trace, and one for everything else.

use obs_core::Signal;

use crate::arrivals::place::{Arrival, Carrier};

/// The lines that show a record: `09:58:33.000  log …  TRACE/SPAN`, or a span's below the line of its trace.
pub(in crate::arrivals) fn lines(text: &str) -> Vec<Carrier> {
    eprintln!("SCREEN\n{text}");
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
    let is_time = time.len() == 12 && time.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
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
