//! The names of attributes.

pub(crate) use obs_otlp::conventions::langfuse::{EVENT, IS_APP_ROOT, TYPE};
use obs_otlp::conventions::{Convention, Field, name};

pub(crate) const INPUT: &str = of(Field::Input);
pub(crate) const OUTPUT: &str = of(Field::Output);
pub(crate) const MODEL: &str = of(Field::Model);
pub(crate) const PARAMETERS: &str = of(Field::Parameters);
pub(crate) const FIRST_TOKEN: &str = of(Field::FirstTokenTime);
pub(crate) const PROMPT_NAME: &str = of(Field::PromptName);
pub(crate) const PROMPT_VERSION: &str = of(Field::PromptVersion);
pub(crate) const TRACE_NAME: &str = of(Field::TraceName);
pub(crate) const USER_ID: &str = of(Field::UserId);
pub(crate) const SESSION_ID: &str = of(Field::SessionId);
pub(crate) const TAGS: &str = of(Field::Tags);
pub(crate) const ENVIRONMENT: &str = of(Field::Environment);
pub(crate) const RELEASE: &str = of(Field::Release);
pub(crate) const VERSION: &str = of(Field::Version);

pub(crate) const LEVEL: &str = of(Field::Level);
pub(crate) const STATUS_MESSAGE: &str = of(Field::StatusMessage);
pub(crate) const USAGE: &str = of(Field::UsageDetails);
pub(crate) const COST: &str = of(Field::CostDetails);
pub(crate) const EXPERIMENT_ID: &str = of(Field::ExperimentId);
/// Before a key of the observation's metadata.
pub(crate) const OBSERVATION_METADATA: &str = prefix(Field::OwnAttribute);
/// Before a key of the trace's.
pub(crate) const TRACE_METADATA: &str = prefix(Field::MetadataKey);

const fn of(field: Field) -> &'static str {
    name(Convention::Langfuse, field)
}

/// The name before the star of a row that stands for all names that begin so.
const fn prefix(field: Field) -> &'static str {
    let name = of(field);
    match name.split_at_checked(name.len() - 1) {
        Some((prefix, star)) if star.as_bytes()[0] == b'*' => prefix,
        _ => panic!("the name stands for itself alone"),
    }
}
