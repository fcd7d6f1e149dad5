//! The laws of delivery, through the public interface.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounting;
mod breaker;
mod catalogue;
mod coverage;
mod dead_letter;
mod decorators;
mod driven;
mod everyday;
mod fallback;
mod fan_out;
mod giving_up;
mod holding;
mod hosts;
mod inspect;
mod isolation;
mod keeping_back;
mod limits;
mod make;
mod monitored;
mod multi;
mod processors;
mod rate_limit;
mod redaction;
mod redaction_of_panics;
mod retry;
mod route;
mod routing;
mod running;
mod series;
mod span_filters;
mod stack;
mod time;
mod watching;
