//! The one error of the workspace.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::{Batch, Receipt, Rejection, Signal};

/// What kind of trouble it is, and so what a caller can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration is wrong; change it.
    Config,
    /// A record cannot be put into the backend's form.
    Encode,
    /// The backend does not accept the credentials.
    Auth,
    /// The backend wants fewer requests.
    RateLimited,
    /// The backend cannot be reached or cannot answer now.
    Unavailable,
    /// No answer came in time.
    Timeout,
    /// The backend refuses the content.
    Rejected,
    /// The content is larger than the backend takes.
    TooLarge,
    /// The exporter does not take this signal.
    Unsupported,
    /// A score or feedback lacks what the backend needs to find its target.
    UnresolvableTarget,
    /// Splitting ended before the poison was found.
    SplitBudget,
    /// The exporter panicked.
    Panic,
    /// The records grew too old in a queue.
    Expired,
    /// A queue was full.
    Overflow,
    /// The exporter was shut down.
    Closed,
    /// A local file, database or device failed.
    Io,
}

impl ErrorKind {
    /// The name in labels, files and dead letters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Encode => "encode",
            Self::Auth => "auth",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Rejected => "rejected",
            Self::TooLarge => "too_large",
            Self::Unsupported => "unsupported",
            Self::UnresolvableTarget => "unresolvable_target",
            Self::SplitBudget => "split_budget",
            Self::Panic => "panic",
            Self::Expired => "expired",
            Self::Overflow => "overflow",
            Self::Closed => "closed",
            Self::Io => "io",
        }
    }

    /// Whether the trouble lies in the records, so that a part of them may pass.
    pub const fn is_content(self) -> bool {
        matches!(self, Self::Rejected | Self::TooLarge | Self::Encode | Self::Panic)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether and when to try the undelivered records again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Never: it would fail again.
    Never,
    /// After the caller's own delay.
    Backoff,
    /// Not before this.
    After(Duration),
    /// The destination as a whole is out: keep the data, spend no attempts, look again after this.
    Hold(Duration),
}

/// What went wrong, what has settled nevertheless, and what is left.
///
/// One word wide, so that a `Result` of it stays cheap.
/// `Display` prints the error itself, not its source.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    retry: Retry,
    status: Option<u16>,
    attempts: u32,
    message: Box<str>,
    settled: Receipt,
    undelivered: Batch,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error that leaves these records undelivered.
    pub fn new(kind: ErrorKind, retry: Retry, message: impl Into<Box<str>>, undelivered: Batch) -> Self {
        Self(Box::new(Inner {
            kind,
            retry,
            status: None,
            attempts: 1,
            message: message.into(),
            settled: Receipt::default(),
            undelivered,
            source: None,
        }))
    }

    /// An error that concerns no records and will not pass by itself, such as one of construction.
    pub fn without_records(kind: ErrorKind, message: impl Into<Box<str>>) -> Self {
        Self::new(kind, Retry::Never, message, Batch::empty(Signal::Traces))
    }

    /// A wrong configuration: the field, and what to do about it.
    pub fn config(field: &str, message: impl fmt::Display) -> Self {
        Self::without_records(ErrorKind::Config, format!("{field}: {message}"))
    }

    /// The exporter of this kind does not take the batch's signal.
    pub fn unsupported(exporter: &str, batch: &Batch) -> Self {
        let message = format!("the exporter {exporter} does not take {}", batch.signal());
        Self::new(ErrorKind::Unsupported, Retry::Never, message, batch.clone())
    }

    /// The exporter of this kind was shut down before.
    pub fn closed(exporter: &str, batch: &Batch) -> Self {
        let message = format!("the exporter {exporter} was shut down");
        Self::new(ErrorKind::Closed, Retry::Never, message, batch.clone())
    }

    /// Adds what has settled.
    #[must_use]
    pub fn with_settled(mut self, receipt: Receipt) -> Self {
        self.0.settled.absorb(receipt);
        self
    }

    /// Replaces what is undelivered: for layers that re-cut batches.
    #[must_use]
    pub fn with_undelivered(mut self, batch: Batch) -> Self {
        self.0.undelivered = batch;
        self
    }

    /// Replaces the advice.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Replaces what it says: for layers that know more about it.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Box<str>>) -> Self {
        self.0.message = message.into();
        self
    }

    /// Tells how often the undelivered records were tried; once, where nobody says.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Tells the HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: Option<u16>) -> Self {
        self.0.status = status;
        self
    }

    /// Tells the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind of trouble it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether and when to try again.
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// The HTTP status, if there was one.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// How often the undelivered records were tried.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// What it says.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What has settled nevertheless.
    pub fn settled(&self) -> &Receipt {
        &self.0.settled
    }

    /// What is left of the batch.
    pub fn undelivered(&self) -> &Batch {
        &self.0.undelivered
    }

    /// Takes the error apart: what has settled, and the error without it.
    pub fn take_settled(mut self) -> (Receipt, Self) {
        (std::mem::take(&mut self.0.settled), self)
    }

    /// Gives the undelivered records up: what had settled, with them as a rejection of this many attempts, or of as many
    /// as the error tells where that is more.
    pub fn into_rejection(self, attempts: u32) -> Receipt {
        let Inner { kind, status, attempts: told, message, mut settled, undelivered, .. } = *self.0;
        let attempts = attempts.max(told);
        if !undelivered.is_empty() {
            let count = undelivered.len();
            let records = Some(undelivered);
            settled.rejected.push(Rejection { records, count, kind, status, reason: message, attempts });
        }
        settled
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

/// What it says, as `main` prints an error that it returns; with `{:#?}` every field, and of the records how many.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return fmt::Display::fmt(self, f);
        }
        let Inner { kind, retry, status, attempts, message, settled, undelivered, source } = &*self.0;
        f.debug_struct("Error")
            .field("kind", kind)
            .field("retry", retry)
            .field("status", status)
            .field("attempts", attempts)
            .field("message", message)
            .field("settled", &settled.settled())
            .field("undelivered", &undelivered.len())
            .field("source", source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Level, Log, Timestamp};

    #[test]
    fn an_error_is_one_word() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    }

    #[test]
    fn giving_up_conserves_the_records() {
        let batch = Batch::Logs((0..3).map(|_| Log::new(Timestamp::default(), Level::Info, "m")).collect());
        let error = Error::new(ErrorKind::Rejected, Retry::Never, "bad", batch).with_status(Some(400));
        let receipt = error.with_settled(Receipt::delivered(2)).into_rejection(4);
        assert_eq!(receipt.settled(), 5);
        assert_eq!((receipt.rejected[0].status, receipt.rejected[0].attempts), (Some(400), 4));
    }

    #[test]
    fn a_rejection_tells_the_attempts_that_the_error_tells() {
        let batch = Batch::Logs(vec![Log::new(Timestamp::default(), Level::Info, "m")].into());
        let error = Error::new(ErrorKind::Rejected, Retry::Never, "bad", batch).with_attempts(3);
        let receipt = error.with_message("bad, thrice").into_rejection(1);
        assert_eq!((receipt.rejected[0].attempts, &*receipt.rejected[0].reason), (3, "bad, thrice"));
    }

    #[test]
    fn debug_prints_no_records() {
        let batch = Batch::Logs(vec![Log::new(Timestamp::default(), Level::Info, "private words")].into());
        let error = Error::new(ErrorKind::Unavailable, Retry::Backoff, "down", batch).with_source("refused");
        assert_eq!(format!("{error:?}"), "down", "what `main` prints says what is wrong and no more");
        let fields = format!("{error:#?}");
        assert!(fields.contains("kind: Unavailable") && !fields.contains("private"), "{fields}");
        assert_eq!(error.source().unwrap().to_string(), "refused");
    }
}
