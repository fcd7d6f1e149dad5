//! What is told of a request that failed.

use std::any::{Any, type_name};
use std::error::Error;
use std::fmt::Display;

use http::StatusCode;
use obs_core::{ErrorInfo, Str};

use super::service::told;
use crate::ActiveSpan;

/// The attribute under which conventions group what failed: a status, or a type of errors.
const ERROR_TYPE: &str = "error.type";
/// What conventions call an error of which no type is known.
const OTHER: Str = Str::from_static("_OTHER");
/// What stands in place of a query, where strangers and callers put their secrets.
const LEFT_OUT: &str = "?[left out]";

/// Fails a span by what was answered.
pub(super) fn by_status(span: &mut ActiveSpan, status: StatusCode) {
    fail(span, || ErrorInfo {
        error_type: Some(status.as_str().to_owned().into()),
        ..ErrorInfo::message(status.to_string())
    });
}

/// Fails a span by an error in place of an answer.
pub(super) fn by_error<E: Display + 'static>(span: &mut ActiveSpan, error: &E) {
    let unsaid = || ErrorInfo::message("[not captured: the error panicked when it was asked what it says]");
    fail(span, || told(|| described(error)).unwrap_or_else(unsaid));
}

/// Fails a span by a panic that goes on.
pub(super) fn by_panic(span: &mut ActiveSpan) {
    fail(span, || ErrorInfo {
        error_type: Some("panic".into()),
        ..ErrorInfo::message("the service panicked")
    });
}

fn fail(span: &mut ActiveSpan, error: impl FnOnce() -> ErrorInfo) {
    let mut named = None;
    span.fail_with(|| {
        let error = error();
        named = Some(error.error_type.clone().unwrap_or(OTHER));
        error
    });
    if let Some(named) = named {
        span.attribute(ERROR_TYPE, named);
    }
}

/// The error with its sources, where it is a box as most of tower's are; of others only what they say is known.
fn described<E: Display + 'static>(error: &E) -> ErrorInfo {
    let any: &dyn Any = error;
    let of_box = || any.downcast_ref::<Box<dyn Error>>().map(|error| ErrorInfo::of(&**error));
    let boxed = any.downcast_ref::<Box<dyn Error + Send + Sync>>();
    let boxed = boxed.map(|error| ErrorInfo::of(&**error)).or_else(of_box);
    let mut info = boxed.unwrap_or_else(|| {
        let name = type_name::<E>();
        let is_text = matches!(name, "&str" | "alloc::string::String");
        let error_type = (!is_text).then(|| Str::from_static(name));
        ErrorInfo { error_type, ..ErrorInfo::message(error.to_string()) }
    });
    for text in std::iter::once(&mut info.message).chain(&mut info.sources) {
        if let Some(short) = without_queries(text) {
            *text = short.into();
        }
    }
    info
}

/// The text with the queries of its URLs left out, as they are of `url.full`; `None` where it has none.
fn without_queries(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>');
        let (before, tail) = rest.split_at(at);
        let (word, after) = tail.split_at(tail.find(ends).unwrap_or(tail.len()));
        let url = word.trim_end_matches([')', ']', '}', ',', ';', ':', '.']);
        let (shown, mark) = url.split_once('?').map_or((url, ""), |(shown, _)| (shown, LEFT_OUT));
        out.extend([before, shown, mark, word.get(url.len()..).unwrap_or_default()]);
        rest = after;
    }
    out.push_str(rest);
    (out != text).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_left_out_and_the_rest_stays() {
        for (text, expected) in [
            ("sending to (https://h/p?key=abc): refused", "sending to (https://h/p?[left out]): refused"),
            (
                "\"http://h/?a=1\" and http://g/?b=2, too",
                "\"http://h/?[left out]\" and http://g/?[left out], too",
            ),
            ("https://h?a=b://c?d", "https://h?[left out]"),
        ] {
            assert_eq!(without_queries(text).as_deref(), Some(expected));
        }
        for text in ["", "why?", "https://h/p#f", "://"] {
            assert_eq!(without_queries(text), None, "{text}");
        }
    }

    #[test]
    fn boxed_errors_keep_their_sources() {
        let refused = || std::io::Error::other("refused by https://h/?key=abc");
        let error: Box<dyn Error + Send + Sync> = Box::new(Outer(refused()));
        let info = described(&error);
        assert_eq!((info.message.as_str(), &info.error_type), ("no answer", &None));
        assert_eq!(info.sources, ["refused by https://h/?[left out]"]);
        let info = described(&refused());
        assert_eq!(info.error_type.as_deref(), Some("std::io::error::Error"));
        assert_eq!(described(&"no luck").error_type, None, "text is no type of errors");
    }

    #[derive(Debug)]
    struct Outer(std::io::Error);

    impl Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("no answer")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }
}
