//! Which format a reader gets.

use crate::wire::{Escaping, Format, Kind};

/// The most bytes of an `Accept` that are read; who sends more gets what everyone reads.
const MOST: usize = 4 << 10;

/// The format for an `Accept`: of those that are known the one with the highest `q`, of equal ones the one that tells most;
/// text 0.0.4 where none is known.
pub(crate) fn format(accept: &str) -> Format {
    if accept.len() > MOST {
        return Format::TEXT;
    }
    let mut best: Option<(u16, u8, Format)> = None;
    for item in accept.split(',') {
        let Some((q, format)) = offer(item) else { continue };
        let rank = (q, told(format));
        if q > 0 && best.is_none_or(|(q, told, _)| rank > (q, told)) {
            best = Some((rank.0, rank.1, format));
        }
    }
    best.map_or(Format::TEXT, |(.., format)| format)
}

/// Whether `Accept-Encoding` asks for gzip.
pub(crate) fn takes_gzip(accept_encoding: &str) -> bool {
    let items = accept_encoding.get(..MOST.min(accept_encoding.len())).unwrap_or_default().split(',');
    let mut any = false;
    for item in items {
        let mut parts = item.split(';');
        let coding = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let takes = quality(parts) > 0;
        match coding.as_str() {
            "gzip" | "x-gzip" => return takes,
            "*" => any = takes,
            _ => {}
        }
    }
    any
}

/// How much a format tells: OpenMetrics has exemplars and units.
fn told(format: Format) -> u8 {
    match format.kind {
        Kind::OpenMetrics100 => 3,
        Kind::OpenMetrics001 => 2,
        Kind::Text100 => 1,
        Kind::Text004 => 0,
    }
}

/// What an item of `Accept` asks for, in thousandths of `q`; `None` for what is not known.
fn offer(item: &str) -> Option<(u16, Format)> {
    let mut parts = item.split(';').map(str::trim);
    let media = parts.next()?.to_ascii_lowercase();
    let params: Vec<(String, &str)> = parts
        .filter_map(|part| part.split_once('='))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"')))
        .collect();
    let param = |name: &str| params.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    let version = param("version");
    let kind = match (media.as_str(), version) {
        ("*/*" | "text/*", _) | ("text/plain", None | Some("0.0.4")) => Kind::Text004,
        ("text/plain", Some("1.0.0")) => Kind::Text100,
        ("application/openmetrics-text", None | Some("1.0.0")) => Kind::OpenMetrics100,
        ("application/openmetrics-text", Some("0.0.1")) => Kind::OpenMetrics001,
        _ => return None,
    };
    let escaping = match (kind, param("escaping")) {
        (Kind::OpenMetrics100 | Kind::Text100, Some("allow-utf-8")) => Escaping::Utf8,
        (Kind::OpenMetrics100 | Kind::Text100, Some(_)) => Escaping::Underscores,
        _ => Escaping::Silent,
    };
    Some((quality(item.split(';').skip(1)), Format { kind, escaping }))
}

/// The `q` among parameters, in thousandths; all of it where there is none, nothing where it is none.
fn quality<'a>(params: impl Iterator<Item = &'a str>) -> u16 {
    let mut q = params.filter_map(|part| part.trim().split_once('='));
    let found = q.find(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    let Some((_, value)) = found else { return 1_000 };
    match value.trim().parse::<f64>() {
        Ok(q) if (0.0..=1.0).contains(&q) => (q * 1_000.0).round() as u16,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_gets_what_it_likes_best_of_what_is_known() {
        use Escaping::{Silent, Underscores, Utf8};
        use Kind::{OpenMetrics001, OpenMetrics100, Text004, Text100};
        let prometheus_2 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                            text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                            application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                            text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        let protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,\
                        text/plain;version=1.0.0;escaping=underscores;q=0.5,text/plain;version=0.0.4;q=0.3";
        for (accept, kind, escaping) in [
            ("", Text004, Silent),
            ("*/*", Text004, Silent),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Text004, Silent),
            ("application/json", Text004, Silent),
            ("text/plain", Text004, Silent),
            ("text/plain;version=0.0.4;q=1;escaping=allow-utf-8", Text004, Silent),
            ("text/plain;version=1.0.0", Text100, Silent),
            ("application/openmetrics-text", OpenMetrics100, Silent),
            ("Application/OpenMetrics-Text; Version=\"1.0.0\"; charset=utf-8", OpenMetrics100, Silent),
            ("application/openmetrics-text;version=2.0.0", Text004, Silent),
            ("application/openmetrics-text;version=1.0.0;q=0", Text004, Silent),
            ("application/openmetrics-text;version=1.0.0;q=x", Text004, Silent),
            ("application/openmetrics-text;q=0.4,text/plain;q=0.5", Text004, Silent),
            ("text/plain,application/openmetrics-text", OpenMetrics100, Silent),
            ("application/openmetrics-text;version=0.0.1", OpenMetrics001, Silent),
            ("application/openmetrics-text;version=1.0.0;escaping=dots", OpenMetrics100, Underscores),
            (prometheus_2, OpenMetrics100, Silent),
            (prometheus_3, OpenMetrics100, Utf8),
            (protobuf, Text100, Underscores),
        ] {
            assert_eq!(format(accept), Format { kind, escaping }, "{accept}");
        }
        let long = format!("{}application/openmetrics-text", "a/b,".repeat(2_000));
        assert_eq!(format(&long), Format::TEXT);
    }

    #[test]
    fn gzip_is_for_those_who_ask() {
        for (accepts, takes) in [
            ("", false),
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("*", true),
            ("*;q=0", false),
            ("gzip;q=0, *", false),
            ("identity", false),
            ("br", false),
        ] {
            assert_eq!(takes_gzip(accepts), takes, "{accepts}");
        }
    }
}
