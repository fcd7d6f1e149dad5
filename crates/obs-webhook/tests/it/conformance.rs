//! The laws of an exporter.

use std::sync::Arc;

use async_trait::async_trait;
use obs_core::{Descriptor, Exporter, Signal};
use obs_testkit::CaptureServer;
use obs_testkit::conformance::{ConfigCheck, Harness, Observed, Setup};
use obs_webhook::{DESCRIPTOR, Signing, WebhookConfig, WebhookExporter};
use serde_json::json;

use crate::server::{self, KEY, SECRET, TOKEN};

struct Hook {
    server: CaptureServer,
    exporter: Arc<WebhookExporter>,
}

#[async_trait]
impl Harness for Hook {
    fn descriptor() -> Descriptor {
        DESCRIPTOR
    }

    fn config() -> Option<ConfigCheck> {
        Some(ConfigCheck::of::<WebhookConfig>(json!({
            "endpoint": "https://api.example.com/in/{signal}/{team}",
            "endpoints": {"logs": "https://logs.example.com"},
            "url_values": {"team": "support"},
            "method": "PUT",
            "headers": {"X-Key": KEY},
            "plain_headers": {"X-Source": "obs"},
            "auth": {"bearer": TOKEN},
            "format": "form",
            "shape": "array",
            "form_field": "data",
            "form_fields": {"token": "t"},
            "signals": ["traces", "logs"],
            "metric_form": "delta",
            "span_starts": true,
            "payload_transformer": {"template": "{{ records }}", "per": "batch", "fuel": 1000, "max_output": "1MiB"},
            "retry_config": {"retry_on_status_codes": [429, 503]},
            "success_status_codes": [409],
            "max_items": 100,
            "max_bytes": "1MiB",
            "max_concurrent_requests": 4,
            "signing": {"secret": SECRET, "form": "standard"},
            "idempotency_header": "Idempotency-Key",
            "check_method": "head",
            "check_path": "/health",
            "user_agent": "acme/1",
            "timeout": "3s",
        })))
    }

    async fn start(_: Setup) -> Self {
        let server = CaptureServer::start().await;
        let config = server::config(&server).with_signing(Signing::standard(SECRET));
        Self { exporter: Arc::new(server::exporter(config)), server }
    }

    fn exporter(&self) -> Arc<dyn Exporter> {
        self.exporter.clone()
    }

    async fn observe(&self) -> Observed {
        let mut observed = Observed::default();
        for request in self.server.requests().into_iter().filter(|request| request.method == "POST") {
            let name = request.path.strip_prefix("/in/").unwrap();
            let signal = Signal::ALL.into_iter().find(|signal| signal.as_str() == name).unwrap();
            observed.records[signal.index()] += count(&request.body);
            observed.writes += 1;
            observed.bytes.extend(request.body);
        }
        observed
    }

    fn secrets(&self) -> Vec<String> {
        [KEY, TOKEN, SECRET].map(ToOwned::to_owned).into()
    }
}

/// How many records a body has; some of the fixtures' are JSON that readers refuse, so that depths are counted by hand.
fn count(body: &[u8]) -> usize {
    let (mut depth, mut quoted, mut escaped, mut records) = (0, false, false, 0);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => {
                records += usize::from(depth == 2 && *byte == b'{');
                depth += 1;
            }
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    records
}

obs_testkit::conformance!(Hook);
