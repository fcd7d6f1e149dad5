//! Records that are too large for the SDK's exporters.

use std::sync::{Arc, Mutex};

use obs_core::{Batch, ErrorKind, Exporter, SpanRecord};
use obs_otel::sdk_exporter::SdkSpanExporter;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use crate::sdk_exporter::span;

#[tokio::test]
async fn law_1_a_huge_record_is_cut_and_what_cannot_be_is_refused_before_it_blocks() {
    #[derive(Debug, Clone, Default)]
    struct Kept(Arc<Mutex<Vec<usize>>>);
    impl SpanExporter for Kept {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            let text =
                |span: &SpanData| span.attributes.iter().map(|pair| pair.value.as_str().len()).sum::<usize>();
            self.0.lock().unwrap().push(batch.iter().map(text).sum());
            Ok(())
        }
    }
    let large = |id, bytes: usize| {
        let SpanRecord::Ended(mut span) = span(id, "a") else { panic!("it ended") };
        span.output = Some(obs_core::Payload::text("x".repeat(bytes)));
        SpanRecord::Ended(span)
    };
    let SpanRecord::Ended(mut many) = span(9, "a") else { panic!("it ended") };
    many.attributes = (0..400_000).map(|nth| (format!("k{nth}"), nth)).collect();
    let batch = Batch::Traces(
        [span(1, "a"), large(2, 70 << 20), large(3, 3 << 20), large(4, 3 << 20), SpanRecord::Ended(many)]
            .into_iter()
            .collect(),
    );
    let kept = Kept::default();
    let receipt = SdkSpanExporter::new(kept.clone()).export(&batch).await.unwrap();
    assert_eq!((receipt.delivered, receipt.rejected_count()), (4, 1));
    assert_eq!(receipt.rejected[0].kind, ErrorKind::TooLarge);
    let sent = kept.0.lock().unwrap();
    assert!(sent.iter().all(|bytes| *bytes <= 4 << 20) && sent.len() > 1, "{sent:?}");
}
