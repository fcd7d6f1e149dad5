//! Answers of collectors: as prost encodes them, as JSON that real ones write, and as anything else.

use obs_core::Signal;
use obs_otlp::answer::{PartialSuccess, partial_success};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use proptest::prelude::*;
use prost::Message;

const JSON: Option<&str> = Some("application/json; charset=utf-8");
const PROTOBUF: Option<&str> = Some("application/x-protobuf");

fn said(rejected: u64, message: &str) -> Option<PartialSuccess> {
    (rejected > 0 || !message.is_empty()).then(|| PartialSuccess { rejected, message: message.to_owned() })
}

/// The response of each signal as prost encodes it.
fn protobuf(rejected: i64, message: &str) -> [(Signal, Vec<u8>); 3] {
    let error_message = message.to_owned();
    let spans = ExportTracePartialSuccess { rejected_spans: rejected, error_message: error_message.clone() };
    let logs =
        ExportLogsPartialSuccess { rejected_log_records: rejected, error_message: error_message.clone() };
    let points = ExportMetricsPartialSuccess { rejected_data_points: rejected, error_message };
    [
        (Signal::Traces, ExportTraceServiceResponse { partial_success: Some(spans) }.encode_to_vec()),
        (Signal::Logs, ExportLogsServiceResponse { partial_success: Some(logs) }.encode_to_vec()),
        (Signal::Metrics, ExportMetricsServiceResponse { partial_success: Some(points) }.encode_to_vec()),
    ]
}

proptest! {
    #[test]
    fn what_prost_encodes_is_read(rejected in any::<i64>(), message in any::<String>(), typed in any::<bool>()) {
        for (signal, body) in protobuf(rejected, &message) {
            let rejected = u64::try_from(rejected).unwrap_or(0);
            let expected = said(rejected, &message);
            // Without a content type the body tells, unless it begins as an object of JSON does.
            let content_type = PROTOBUF.filter(|_| typed || body.trim_ascii().first() == Some(&b'{'));
            prop_assert_eq!(partial_success(signal, content_type, &body).unwrap(), expected);
        }
    }

    #[test]
    fn no_bytes_break_the_reader(body in any::<Vec<u8>>(), cut in any::<proptest::sample::Index>()) {
        for content_type in [None, JSON, PROTOBUF, Some("text/html")] {
            for signal in Signal::ALL {
                let _ = partial_success(signal, content_type, &body);
            }
        }
        let whole = &protobuf(7, "seven")[0].1;
        let cut = cut.index(whole.len());
        prop_assert!(cut == 0 || partial_success(Signal::Traces, PROTOBUF, &whole[..cut]).is_err());
    }

    #[test]
    fn fields_of_a_later_version_are_passed_over(number in 3u64..(1 << 29), value in any::<u64>()) {
        let mut body = Vec::new();
        prost::encoding::uint64::encode(number as u32, &value, &mut body);
        prost::encoding::fixed64::encode(number as u32, &value, &mut body);
        prost::encoding::fixed32::encode(number as u32, &7, &mut body);
        prost::encoding::string::encode(number as u32, &"later".to_owned(), &mut body);
        body.extend_from_slice(&protobuf(2, "two")[0].1);
        prop_assert_eq!(partial_success(Signal::Traces, PROTOBUF, &body).unwrap(), said(2, "two"));
    }
}

#[test]
fn json_is_read_in_every_form_that_collectors_write() {
    use Signal::{Feedback, Logs, Metrics, Scores, Traces};
    for (signal, body, expected) in [
        (Traces, "", None),
        (Traces, " \n", None),
        (Traces, "{}", None),
        (Traces, r#"{"partialSuccess":{}}"#, None),
        (Traces, r#"{"partialSuccess":null}"#, None),
        (Traces, r#"{"partialSuccess":{"rejectedSpans":"0","errorMessage":""}}"#, None),
        (Traces, r#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"old"}}"#, said(3, "old")),
        (Traces, r#"{"partialSuccess":{"rejectedSpans":3}}"#, said(3, "")),
        (Traces, r#"{"partialSuccess":{"rejectedSpans":3.0,"errorMessage":null}}"#, said(3, "")),
        (Traces, r#"{"partialSuccess":{"rejectedSpans":null,"errorMessage":"careful"}}"#, said(0, "careful")),
        (Traces, r#"{"partialSuccess":{"rejectedSpans":-1,"errorMessage":"careful"}}"#, said(0, "careful")),
        (Traces, r#"{"partial_success":{"rejected_spans":"4","error_message":"old"}}"#, said(4, "old")),
        (Traces, r#" {"more":[1],"partialSuccess":{"rejectedSpans":1,"more":{}}}"#, said(1, "")),
        (Logs, r#"{"partialSuccess":{"rejectedLogRecords":"5","errorMessage":"x"}}"#, said(5, "x")),
        (Logs, r#"{"partialSuccess":{"rejectedLogRecords":5}}"#, said(5, "")),
        (Logs, r#"{"partialSuccess":{"rejectedLogRecords":null,"errorMessage":null}}"#, None),
        (Logs, r#"{"partialSuccess":null}"#, None),
        (Scores, r#"{"partialSuccess":{"rejected_log_records":5}}"#, said(5, "")),
        (Feedback, r#"{"partialSuccess":{"rejectedLogRecords":5}}"#, said(5, "")),
        (Metrics, r#"{"partialSuccess":{"rejectedDataPoints":"6","errorMessage":"x"}}"#, said(6, "x")),
        (Metrics, r#"{"partialSuccess":{"rejected_data_points":6}}"#, said(6, "")),
        (
            Metrics,
            r#"{"partialSuccess":{"rejectedDataPoints":null,"errorMessage":"careful"}}"#,
            said(0, "careful"),
        ),
        (Metrics, r#"{"partialSuccess":null}"#, None),
    ] {
        for content_type in [JSON, None, Some("text/plain"), PROTOBUF] {
            // Under the content type of protobuf, only what no protobuf can be is taken for JSON.
            if content_type != PROTOBUF || body.starts_with('{') {
                assert_eq!(
                    partial_success(signal, content_type, body.as_bytes()),
                    Ok(expected.clone()),
                    "{body}"
                );
            }
        }
    }
}

#[test]
fn what_cannot_be_read_says_so() {
    for (content_type, body, cause) in [
        (JSON, "[]", "not an object"),
        (JSON, "{", "EOF"),
        (JSON, r#"{"partialSuccess":{"rejectedSpans":"many"}}"#, "count"),
        (None, "<html>", "wire type"),
        (Some("text/plain"), "ok", "wire type"),
        (Some("text/plain"), "accepted", "cut short"),
        (PROTOBUF, "\u{8}\u{1}", "no message"),
        (PROTOBUF, "\n\u{2}\n\0", "no number"),
        (PROTOBUF, "\n\u{2}\u{10}\u{1}", "no text"),
        (PROTOBUF, "\0\0", "number 0"),
    ] {
        let error = partial_success(Signal::Traces, content_type, body.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(cause) && error.starts_with("the answer is no OTLP"), "{body}: {error}");
    }
}
