//! Units as Datadog names them.

/// Units of UCUM and those in braces, and Datadog's word for them.
const UNITS: &[(&str, &str)] = &[
    ("ns", "nanosecond"),
    ("us", "microsecond"),
    ("ms", "millisecond"),
    ("s", "second"),
    ("min", "minute"),
    ("h", "hour"),
    ("d", "day"),
    ("wk", "week"),
    ("bit", "bit"),
    ("By", "byte"),
    ("KiBy", "kibibyte"),
    ("MiBy", "mebibyte"),
    ("GiBy", "gibibyte"),
    ("TiBy", "tebibyte"),
    ("%", "percent"),
    ("Hz", "hertz"),
    ("kHz", "kilohertz"),
    ("MHz", "megahertz"),
    ("GHz", "gigahertz"),
    ("Cel", "degree celsius"),
    ("[degF]", "degree fahrenheit"),
    ("mW", "milliwatt"),
    ("W", "watt"),
    ("kW", "kilowatt"),
    ("mA", "milliampere"),
    ("A", "ampere"),
    ("mV", "millivolt"),
    ("V", "volt"),
    ("USD", "dollar"),
    ("EUR", "euro"),
];

/// What Datadog can count, in the singular as it names them.
const COUNTED: &[&str] = &[
    "assertion",
    "attempt",
    "buffer",
    "build",
    "check",
    "column",
    "command",
    "commit",
    "connection",
    "container",
    "cpu",
    "cursor",
    "datagram",
    "device",
    "document",
    "email",
    "entry",
    "error",
    "event",
    "eviction",
    "exception",
    "execution",
    "fault",
    "fetch",
    "file",
    "flush",
    "get",
    "hit",
    "hop",
    "host",
    "index",
    "inode",
    "instance",
    "invocation",
    "item",
    "job",
    "key",
    "location",
    "lock",
    "merge",
    "message",
    "method",
    "miss",
    "monitor",
    "node",
    "object",
    "occurrence",
    "offset",
    "operation",
    "packet",
    "page",
    "payload",
    "prediction",
    "process",
    "query",
    "question",
    "read",
    "record",
    "refresh",
    "request",
    "resource",
    "response",
    "route",
    "row",
    "run",
    "sample",
    "scan",
    "sector",
    "segment",
    "service",
    "session",
    "set",
    "shard",
    "span",
    "split",
    "stage",
    "success",
    "table",
    "task",
    "thread",
    "throttle",
    "ticket",
    "time",
    "timeout",
    "transaction",
    "unit",
    "update",
    "user",
    "wait",
    "worker",
    "write",
];

/// Datadog's word for a unit; `None` for what it has no word for, which is sent without one.
pub(crate) fn unit(code: &str) -> Option<&'static str> {
    let code = code.trim();
    let known = UNITS.iter().find(|(known, _)| *known == code).map(|(_, word)| *word);
    known.or_else(|| {
        let counted = code.strip_prefix('{')?.strip_suffix('}')?;
        COUNTED.iter().copied().find(|word| *word == counted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_datadogs_or_none() {
        for (code, word) in [
            ("s", Some("second")),
            ("By", Some("byte")),
            ("{request}", Some("request")),
            ("{token}", None),
            ("1", None),
            ("kBy", None),
            ("", None),
            ("{}", None),
        ] {
            assert_eq!(unit(code), word, "{code}");
        }
    }
}
