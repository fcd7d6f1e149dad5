//! A leaf's policy for answers, held against real ones: every status with every form of `Retry-After`.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::future::Future;
use std::time::Duration;

use obs_core::Failure;
#[doc(no_inline)]
pub use obs_core::{ErrorKind, Retry};

use crate::{Answer, CaptureServer};

/// The statuses that every table speaks of: those that backends send, and those that a rule names.
pub const STATUSES: &[u16] = &[
    200, 201, 202, 204, 207, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409,
    410, 411, 412, 413, 414, 415, 422, 423, 424, 425, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505,
    507, 508, 511, 520, 521, 522, 523, 524, 529, 599,
];

/// What the seconds of [`Form::Seconds`] ask for.
pub const SECONDS: Duration = Duration::from_secs(7);
/// What the date of [`Form::Date`] asks for: it is so much later than the answer's `Date`.
pub const DATE: Duration = Duration::from_secs(90);

/// The answers' `Date`, and dates after and before it.
const NOW: &str = "Wed, 21 Oct 2026 07:28:00 GMT";
const LATER: &str = "Wed, 21 Oct 2026 07:29:30 GMT";
const EARLIER: &str = "Wed, 21 Oct 2026 07:27:00 GMT";

/// What an answer says in `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// There is no such header.
    Absent,
    /// Whole seconds: [`SECONDS`].
    Seconds,
    /// A date in the future: [`DATE`] after the answer's.
    Date,
    /// A date in the past, which is no wait.
    Past,
    /// Words, which ask for nothing.
    Garbage,
}

/// All forms.
pub const ANY: [Form; 5] = [Form::Absent, Form::Seconds, Form::Date, Form::Past, Form::Garbage];

impl Form {
    const fn value(self) -> Option<&'static str> {
        match self {
            Self::Absent => None,
            Self::Seconds => Some("7"),
            Self::Date => Some(LATER),
            Self::Past => Some(EARLIER),
            Self::Garbage => Some("after lunch"),
        }
    }

    /// What is heard by a policy that reads the header.
    const fn heard(self) -> Retry {
        match self {
            Self::Absent | Self::Garbage => Retry::Backoff,
            Self::Seconds => Retry::After(SECONDS),
            Self::Date => Retry::After(DATE),
            Self::Past => Retry::After(Duration::ZERO),
        }
    }
}

/// What a cell of the table expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The backend has the records.
    Success,
    /// A failure of this kind with this advice, whatever the form.
    Fails(ErrorKind, Retry),
    /// A failure of this kind that is tried again, not before what the form asks for.
    Waits(ErrorKind),
}

impl Expected {
    fn at(self, form: Form) -> Option<(ErrorKind, Retry)> {
        match self {
            Self::Success => None,
            Self::Fails(kind, retry) => Some((kind, retry)),
            Self::Waits(kind) => Some((kind, form.heard())),
        }
    }
}

/// Some cells of a table: these statuses, with each of these forms.
#[derive(Debug, Clone)]
pub struct Row {
    /// The statuses.
    pub statuses: Vec<u16>,
    /// The forms of `Retry-After`.
    pub forms: Vec<Form>,
    /// What each of the cells expects.
    pub expected: Expected,
}

/// Sends one request per cell to a server that answers with its status and form, and compares.
///
/// `connect` is given the server's address and returns what sends one request and says the status of its success.
///
/// # Errors
/// A table of the cells that are not as expected, that stand in two rows, or that no row speaks of: every one of
/// [`STATUSES`] with [`ANY`] form must be there.
pub fn check<C, S, F>(rows: &[Row], connect: C) -> Result<(), String>
where
    C: FnOnce(String) -> S,
    S: Fn() -> F,
    F: Future<Output = Result<u16, Failure>>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|cause| format!("there is no runtime: {cause}"))?;
    let (cells, mut faults) = cells(rows);
    runtime.block_on(async {
        let server = CaptureServer::start().await;
        let send = connect(server.url());
        for ((status, form), expected) in &cells {
            let mut answer = Answer::status(*status).with_header("date", NOW);
            if let Some(value) = form.value() {
                answer = answer.with_header("retry-after", value);
            }
            server.answer([answer]);
            let seen = send().await;
            faults.extend(compare(*status, *form, expected.at(*form), &seen));
            let arrived = server.take_requests().len();
            if arrived != 1 {
                faults.push(Fault::new(*status, *form, "one request", format!("{arrived} requests")));
            }
        }
    });
    if faults.is_empty() { Ok(()) } else { Err(report(&faults, cells.len())) }
}

/// Whether what was seen is what was expected, status included.
fn compare(
    status: u16,
    form: Form,
    expected: Option<(ErrorKind, Retry)>,
    seen: &Result<u16, Failure>,
) -> Option<Fault> {
    let (verdict, seen_status, words) = match seen {
        Ok(seen) => (None, Some(*seen), String::new()),
        Err(failure) => {
            (Some((failure.kind, failure.retry)), failure.status, format!(": {}", failure.message))
        }
    };
    if seen_status != Some(status) {
        let seen = format!("the status {seen_status:?}{words}");
        return Some(Fault::new(status, form, &format!("the status Some({status})"), seen));
    }
    (verdict != expected).then(|| Fault::new(status, form, &says(expected), says(verdict) + &words))
}

fn says(verdict: Option<(ErrorKind, Retry)>) -> String {
    verdict.map_or_else(|| "success".into(), |(kind, retry)| format!("{kind}, {retry:?}"))
}

/// What is wrong with a cell.
struct Fault {
    status: u16,
    form: Form,
    expected: String,
    seen: String,
}

impl Fault {
    fn new(status: u16, form: Form, expected: &str, seen: impl Into<String>) -> Self {
        Self { status, form, expected: expected.into(), seen: seen.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = format!("{:?}", self.form);
        write!(f, "{:<6} {form:<11} {:<28} {}", self.status, self.expected, self.seen)
    }
}

/// The rows' cells in order, and what the rows themselves lack.
fn cells(rows: &[Row]) -> (BTreeMap<(u16, Form), Expected>, Vec<Fault>) {
    let (mut cells, mut faults) = (BTreeMap::new(), Vec::new());
    for row in rows {
        for (status, form) in
            row.statuses.iter().flat_map(|status| row.forms.iter().map(|form| (*status, *form)))
        {
            if cells.insert((status, form), row.expected).is_some() {
                faults.push(Fault::new(status, form, "one row", "two rows"));
            }
        }
    }
    for (status, form) in STATUSES.iter().flat_map(|status| ANY.map(|form| (*status, form))) {
        if !cells.contains_key(&(status, form)) {
            faults.push(Fault::new(status, form, "a row", "none"));
        }
    }
    (cells, faults)
}

fn report(faults: &[Fault], cells: usize) -> String {
    let mut out = format!("{} faults in a table of {cells} cells\n", faults.len());
    let _ = writeln!(out, "status retry-after {:<28} seen", "expected");
    for fault in faults {
        let _ = writeln!(out, "{fault}");
    }
    out
}

/// What the rows of a [`policy_table!`](crate::policy_table!) are written with.
pub mod words {
    pub use super::Expected::*;
    pub use super::Form::*;
    pub use super::{ANY, DATE, ErrorKind, Retry, SECONDS};
}

/// A test that a policy of `obs-http` is what the table says, by a real request per cell.
///
/// A row is statuses, forms of `Retry-After`, and what is expected of each; the names of
/// [`policy_table`](mod@crate::policy_table) and `ErrorKind` and `Retry` are in scope.
/// Every one of [`STATUSES`](crate::policy_table::STATUSES) with every form must be there, once; more may be.
/// The crate that uses it depends on `obs-http`.
///
/// ```
/// use std::time::Duration;
///
/// obs_testkit::policy_table!(otlp, &obs_http::Policy::OTLP, {
///     [200, 201, 202, 204, 207] ANY => Success;
///     [301, 302, 303, 304, 307, 308] ANY => Fails(ErrorKind::Config, Retry::Hold(Duration::from_secs(60)));
///     [402, 404, 405, 410] ANY => Fails(ErrorKind::Config, Retry::Hold(Duration::from_secs(60)));
///     [401, 403, 407] ANY => Fails(ErrorKind::Auth, Retry::Hold(Duration::from_secs(60)));
///     [400, 406, 408, 409, 411, 412, 415] ANY => Fails(ErrorKind::Rejected, Retry::Never);
///     [422, 423, 424, 425, 426, 428, 451] ANY => Fails(ErrorKind::Rejected, Retry::Never);
///     [413, 414, 431] ANY => Fails(ErrorKind::TooLarge, Retry::Never);
///     [429] ANY => Waits(ErrorKind::RateLimited);
///     [503] ANY => Waits(ErrorKind::Unavailable);
///     [502, 504] ANY => Fails(ErrorKind::Unavailable, Retry::Backoff);
///     [500, 501, 505, 507, 508, 511, 520, 521, 522, 523, 524, 529, 599] ANY => Fails(ErrorKind::Rejected, Retry::Never);
/// });
/// ```
#[macro_export]
macro_rules! policy_table {
    ($name:ident, $policy:expr, { $([$($status:expr),+ $(,)?] $forms:tt => $expected:expr;)+ }) => {
        #[test]
        fn $name() {
            use $crate::policy_table::{Row, check, words::*};
            let rows = [$(Row {
                statuses: ::std::vec![$($status),+],
                forms: $forms.to_vec(),
                expected: $expected,
            }),+];
            let checked = check(&rows, |url| {
                let client = ::obs_http::Client::new(&::obs_http::HttpConfig::new(url)).unwrap();
                move || {
                    let client = client.clone();
                    async move {
                        let request = ::obs_http::Request::post("/").with_body(client.body("{}"));
                        client.send(&request, $policy).await.map(|answer| answer.status())
                    }
                }
            });
            if let Err(table) = checked {
                panic!("{table}");
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(kind: ErrorKind, retry: Retry, status: u16) -> Result<u16, Failure> {
        Err(Failure { kind, retry, status: Some(status), message: "words".into() })
    }

    fn rows(left_out: &[u16]) -> Vec<Row> {
        let statuses = STATUSES.iter().copied().filter(|status| !left_out.contains(status)).collect();
        vec![Row { statuses, forms: ANY.to_vec(), expected: Expected::Success }]
    }

    #[test]
    fn a_cell_without_a_row_and_one_with_two_are_faults() {
        assert!(cells(&rows(&[])).1.is_empty());
        let missing: Vec<_> = cells(&rows(&[425])).1.iter().map(ToString::to_string).collect();
        assert_eq!(missing.len(), ANY.len());
        assert_eq!(missing[1], "425    Seconds     a row                        none");
        let mut twice = rows(&[]);
        twice.push(Row { statuses: vec![200], forms: vec![Form::Past], expected: Expected::Success });
        assert_eq!(cells(&twice).1.len(), 1);
    }

    #[test]
    fn an_outcome_is_compared_in_kind_advice_and_status() {
        let expected = Expected::Waits(ErrorKind::RateLimited).at(Form::Seconds);
        let right = failing(ErrorKind::RateLimited, Retry::After(SECONDS), 429);
        assert!(compare(429, Form::Seconds, expected, &right).is_none());
        for wrong in [
            failing(ErrorKind::Unavailable, Retry::After(SECONDS), 429),
            failing(ErrorKind::RateLimited, Retry::Backoff, 429),
            failing(ErrorKind::RateLimited, Retry::After(SECONDS), 503),
            Ok(429),
        ] {
            let fault = compare(429, Form::Seconds, expected, &wrong);
            assert!(fault.is_some_and(|fault| fault.to_string().starts_with("429    Seconds")));
        }
        assert!(compare(200, Form::Past, None, &Ok(200)).is_none());
    }

    #[test]
    fn a_request_too_few_is_a_fault() {
        let rows = [Row { statuses: vec![200], forms: vec![Form::Absent], expected: Expected::Success }];
        let table = check(&rows, |_| || async { Ok(200) }).unwrap_err();
        assert!(table.contains("0 requests"), "{table}");
    }
}
