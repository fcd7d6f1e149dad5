//! The code that is written meets no name of the code around it, and no lint.

#![deny(warnings, clippy::all, clippy::pedantic)]

use obs_instrument::FutureExt;

use crate::collect::Bench;

/// Names of the prelude mean something else here.
mod shadowed {
    #![no_implicit_prelude]

    use ::obs_instrument::observe as traced;

    pub(super) struct Option;
    pub(super) struct Probe;
    pub(super) type Result = ::core::result::Result<u8, u8>;

    #[traced(name = "renamed", attributes(sum = span + notes))]
    pub(super) fn count(span: u8, notes: u8, value: u8, fields: &Option) -> Result {
        let (result, context, error) = (span + notes, value, fields);
        let _: (&Option, Probe) = (error, Probe);
        ::core::result::Result::Ok(result + context)
    }

    #[traced(tool_call, call_id = span, output = false)]
    pub(super) async fn later(span: &str, context: u8, result: u8) -> Result {
        if span.is_empty() {
            return ::core::result::Result::Err(context);
        }
        ::core::result::Result::Ok(result)
    }
}

/// A trait of the user's that would like to be asked, too.
#[expect(dead_code, reason = "its methods only have to be there")]
trait Asks {
    fn argument(&self, _: &str) {}
    fn attribute(&self, _: &str) {}
}

impl<T> Asks for T {}
impl<T: ?Sized> As for T {}

#[expect(dead_code, reason = "its methods only have to be there")]
trait As {
    fn as_ref(&self) {}
    fn to_string(&self) {}
}

/// Adds.
///
/// # Errors
/// Never.
#[must_use = "it adds"]
#[obs_instrument::observe(attributes(count = { let span = 2; span + r#type }))]
#[inline]
fn kept(#[cfg(test)] r#type: u8, #[cfg(not(test))] absent: u8, _: u8) -> u8 {
    #![allow(clippy::no_effect_underscore_binding)]
    macro_rules! leave {
        ($value:expr) => {
            return $value
        };
    }
    let _span = 1;
    if r#type > 9 {
        leave!(9);
    }
    'outer: for left in 0..=r#type {
        for right in 0..=r#type {
            if left + right == r#type {
                break 'outer;
            }
        }
    }
    r#type
}

#[obs_instrument::observe]
fn unit(values: &mut [u8]) {
    values.reverse();
}

#[obs_instrument::observe]
async fn unit_later(values: &mut [u8]) {
    tokio::task::yield_now().await;
    values.reverse();
}

#[obs_instrument::observe(skip_all)]
async fn diverges(stop: bool) -> Result<std::convert::Infallible, String> {
    loop {
        if stop {
            return Err("stopped".to_owned());
        }
        tokio::task::yield_now().await;
    }
}

mod renamed {
    pub(super) use obs_instrument as other;
}

#[obs_instrument::observe(crate = renamed::other)]
fn through_another_name() {}

#[tokio::test]
async fn names_and_lints_of_the_code_around_stay_its_own() {
    let bench = Bench::new();
    let context = bench.obs.context();
    context.scope(|| {
        assert!(matches!(shadowed::count(1, 2, 3, &shadowed::Option), Ok(6)));
        assert_eq!((kept(3, 0), kept(12, 0)), (3, 9));
        let mut values = [1, 2];
        unit(&mut values);
        assert_eq!(values, [2, 1]);
        through_another_name();
    });
    assert_eq!(shadowed::later("a", 1, 2).with_context(context.clone()).await, Ok(2));
    unit_later(&mut [1]).with_context(context.clone()).await;
    assert!(diverges(true).with_context(context).await.is_err());
    let arrived = bench.arrived();
    assert_eq!(arrived.spans.len(), 8);
    assert_eq!(arrived.span("renamed").attributes.get("sum").unwrap().as_i64(), Some(3));
    assert_eq!(arrived.span("kept").attributes.get("count").unwrap().as_i64(), Some(5));
    assert_eq!(arrived.span("kept").input.as_ref().unwrap().as_str(), r#"{"type":3}"#);
}
