//! What panics in a pipeline is told by the pipeline's own rules.

use std::sync::Arc;

use async_trait::async_trait;
use obs_core::{Batch, Descriptor, Error, Exporter, Health, Receipt, Signal};
use obs_redact::{Pii, RedactConfig};
use obs_testkit::Scripted;

use crate::make::{PATIENCE, builder, record};

/// Panics with an address of somebody.
#[derive(Debug)]
struct Talkative(Arc<Scripted>);

#[async_trait]
impl Exporter for Talkative {
    fn descriptor(&self) -> &Descriptor {
        self.0.descriptor()
    }

    async fn export(&self, _: &Batch) -> Result<Receipt, Error> {
        panic!("bad record: of bob@example.com, who has the flu")
    }

    async fn check(&self) -> Health {
        Health::Healthy
    }

    async fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// What the destination's health says of the panic.
fn told(rules: RedactConfig) -> String {
    let pipeline = builder().redact(rules).to(Talkative(Scripted::new([]))).build().unwrap();
    record(&pipeline.intake(), Signal::Traces, 1);
    let report = pipeline.flush(PATIENCE);
    format!("{report:?}")
}

#[test]
fn law_6_a_panic_is_told_by_the_rules_of_its_pipeline() {
    let plain = told(RedactConfig::default());
    assert!(plain.contains("of bob@example.com, who"), "{plain}");
    let personal = told(RedactConfig::default().with_pii([Pii::Email]));
    assert!(personal.contains("of [REDACTED], who"), "{personal}");
    for rules in [
        RedactConfig::default().with_include_io(false),
        RedactConfig::default().with_excluded_field("diagnosis"),
    ] {
        let kept = told(rules);
        assert!(kept.contains("[OMITTED]") && !kept.contains("flu"), "{kept}");
    }
}
