//! Redaction without inputs and outputs keeps back what the conventions have as such, and nothing else of theirs.

use obs_otlp::conventions::{ATTRIBUTES, Field};
use obs_redact::{RedactConfig, Redactor};

/// Whether what a field holds was read or written by a model, a tool or a memory.
fn is_io(field: Field) -> bool {
    matches!(
        field,
        Field::Input
            | Field::InputMessages
            | Field::Output
            | Field::OutputMessages
            | Field::Instructions
            | Field::Query
            | Field::Documents
            | Field::EmbeddedTexts
    )
}

#[test]
fn law_6_without_io_every_convention_s_inputs_and_outputs_are_kept_back() {
    let without_io = Redactor::new(&RedactConfig::default().with_include_io(false)).unwrap();
    for row in ATTRIBUTES {
        let name = row.name.replace("{type}", "agent_run");
        let forms = match name.strip_suffix('*') {
            Some(prefix) => {
                vec![format!("{prefix}0"), format!("{prefix}0.content"), format!("{prefix}1.message.content")]
            }
            None => vec![name],
        };
        for name in forms {
            assert_eq!(without_io.name_is_omitted(&name), is_io(row.field), "{name}");
            assert!(!Redactor::default().name_is_omitted(&name), "{name}");
        }
    }
}
