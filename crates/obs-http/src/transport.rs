//! What it means that no answer came.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use obs_core::{ErrorKind, Retry};

use crate::policy::HOLD;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The host's name is not known.
    UnknownHost,
    /// The host's name leads to a link-local address, which was not allowed.
    LinkLocal,
    /// The server's certificate is not trusted, or not for this name.
    Certificate,
    /// The proxy wants other credentials.
    ProxyAuth,
    /// There was no connection: refused, no route, no answer in time, or the handshake failed.
    NoConnection,
    /// The connection broke before the answer was there.
    Broken,
    /// No answer came by the deadline.
    TimedOut,
}

impl Trouble {
    /// What it means for the records.
    ///
    /// The same for every backend: an unknown host, a certificate and a proxy are nothing that a retry mends, so that
    /// the destination rests; the others pass.
    pub const fn classify(self) -> (ErrorKind, Retry) {
        match self {
            Self::UnknownHost | Self::Certificate => (ErrorKind::Unavailable, Retry::Hold(HOLD)),
            Self::LinkLocal => (ErrorKind::Config, Retry::Hold(HOLD)),
            Self::ProxyAuth => (ErrorKind::Auth, Retry::Hold(HOLD)),
            Self::NoConnection | Self::Broken => (ErrorKind::Unavailable, Retry::Backoff),
            Self::TimedOut => (ErrorKind::Timeout, Retry::Backoff),
        }
    }

    /// What is wrong, and the next step where there is one.
    pub(crate) const fn says(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::UnknownHost => ("the host is not known", Some("check `endpoint` and the name service")),
            Self::LinkLocal => (
                "the host has a link-local address",
                Some("check `endpoint`, or set allow_link_local = true"),
            ),
            Self::Certificate => (
                "the server's certificate is not trusted",
                Some("check `endpoint`, or name its authority in `ca_file`"),
            ),
            Self::ProxyAuth => {
                ("the proxy does not accept the credentials", Some("check the user and password in `proxy`"))
            }
            Self::NoConnection => ("no connection", None),
            Self::Broken => ("the connection broke", None),
            Self::TimedOut => ("no answer", None),
        }
    }

    /// Reads it off an error of sending.
    pub(crate) fn of(error: &reqwest::Error) -> Self {
        let mut found = None;
        walk(error, &mut |cause| {
            if cause.is::<LinkLocalOnly>() {
                found = Some(Self::LinkLocal);
            } else if let Some(rustls::Error::InvalidCertificate(_)) = cause.downcast_ref() {
                found = Some(Self::Certificate);
            } else if cause.to_string().ends_with("proxy authorization required") {
                found = Some(Self::ProxyAuth);
            }
        });
        match found {
            Some(trouble) => trouble,
            None if error.is_dns() && !passes(error) => Self::UnknownHost,
            None if error.is_connect() => Self::NoConnection,
            None if error.is_timeout() => Self::TimedOut,
            None => Self::Broken,
        }
    }
}

/// Whether the name service says that it may know the host later.
fn passes(error: &reqwest::Error) -> bool {
    let mut passes = false;
    walk(error, &mut |cause| {
        let text = cause.to_string();
        passes |= text.contains("Temporary failure") || text.contains("Try again");
    });
    passes
}

/// The causes of an error in one line, the outermost first, each text once; without the address.
pub(crate) fn causes(error: &reqwest::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    walk(error, &mut |cause| {
        // The client's own frames say nothing of the cause, and reqwest's may hold the address.
        let text = cause.to_string();
        let frame = cause.is::<reqwest::Error>() || text.starts_with("client error (");
        if !frame && !texts.iter().any(|before| before.contains(&text)) {
            texts.push(text);
        }
    });
    texts.join(": ")
}

/// Visits an error and its causes; those within an I/O error, too, which its `source` leaves out.
fn walk<'e>(error: &'e (dyn StdError + 'static), visit: &mut dyn FnMut(&'e (dyn StdError + 'static))) {
    let mut next = Some(error);
    while let Some(error) = next {
        visit(error);
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(within) => Some(within),
            None => error.source(),
        };
    }
}

/// A host's addresses are all link-local.
#[derive(Debug)]
pub(crate) struct LinkLocalOnly;

impl fmt::Display for LinkLocalOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name leads to link-local addresses only")
    }
}

impl StdError for LinkLocalOnly {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_retry_mends_holds_the_destination_and_the_rest_passes() {
        for (trouble, kind, retry) in [
            (Trouble::UnknownHost, ErrorKind::Unavailable, Retry::Hold(HOLD)),
            (Trouble::LinkLocal, ErrorKind::Config, Retry::Hold(HOLD)),
            (Trouble::Certificate, ErrorKind::Unavailable, Retry::Hold(HOLD)),
            (Trouble::ProxyAuth, ErrorKind::Auth, Retry::Hold(HOLD)),
            (Trouble::NoConnection, ErrorKind::Unavailable, Retry::Backoff),
            (Trouble::Broken, ErrorKind::Unavailable, Retry::Backoff),
            (Trouble::TimedOut, ErrorKind::Timeout, Retry::Backoff),
        ] {
            assert_eq!(trouble.classify(), (kind, retry), "{trouble:?}");
            let holds = matches!(retry, Retry::Hold(_));
            assert_eq!(trouble.says().1.is_some(), holds, "{trouble:?} names a next step");
        }
    }
}
