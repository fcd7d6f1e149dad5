//! What a value has, asked where its type is known: in the code that `#[observe]` writes.
//!
//! A method is looked for by taking references away from its receiver, so of traits that are implemented for probes behind
//! fewer and fewer references the first that the type has is found.
//! Stable Rust has no other way to ask, and none that adds no bound to a generic function.

use std::any::type_name;
use std::error::Error;
use std::fmt::{Debug, Display};

use obs_core::{ErrorInfo, Payload, Str, Value};
use serde::Serialize;

use super::{Captured, Own};
use crate::fail::guarded;
use crate::intern;

/// A value that is asked what it has.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(pub &'a T);

macro_rules! ways {
    ($($way:ident $method:ident: [$($generic:tt)*] ($($behind:tt)*) $target:ty => $output:ty, $make:expr;)*) => {
        $(
            /// One way to ask.
            pub trait $way {
                /// Asks.
                fn $method(&self) -> $output;
            }

            impl<$($generic)*> $way for $($behind)* Probe<'_, $target> {
                fn $method(&self) -> $output {
                    $make(self.0)
                }
            }
        )*
    };
}

ways! {
    ArgumentOfSerialize __obs_argument: [T: Serialize + ?Sized] (&&) T => Captured, argument;
    ArgumentOfDebug __obs_argument: [T: Debug + ?Sized] (&) T => Captured, debugged_argument;
    ArgumentOfAny __obs_argument: [T: ?Sized] () T => Captured, left_out;

    PayloadOfUnit __obs_payload: [] (&&&) () => Option<Payload>, nothing;
    PayloadOfSerialize __obs_payload: [T: Serialize + ?Sized] (&&) T => Option<Payload>, payload;
    PayloadOfDebug __obs_payload: [T: Debug + ?Sized] (&) T => Option<Payload>, |it: &T| Some(Payload::text(format!("{it:?}")));
    PayloadOfAny __obs_payload: [T: ?Sized] () T => Option<Payload>, nothing;

    ValueOfOwn __obs_value: [T: Own + ?Sized] (&&&) T => Value, Own::own;
    ValueOfSerialize __obs_value: [T: Serialize + ?Sized] (&&) T => Value, value;
    ValueOfDisplay __obs_value: [T: Display + ?Sized] (&) T => Value, |it: &T| Value::from(it.to_string());
    ValueOfDebug __obs_value: [T: Debug + ?Sized] () T => Value, |it: &T| Value::from(format!("{it:?}"));

    NameOfOption __obs_name: [T: AsRef<str>] (&&) Option<T> => Option<Str>, |it: &Option<T>| it.as_ref().map(|it| intern(it.as_ref()));
    NameOfText __obs_name: [T: AsRef<str> + ?Sized] (&) T => Option<Str>, |it: &T| Some(intern(it.as_ref()));
    NameOfDisplay __obs_name: [T: Display + ?Sized] () T => Option<Str>, |it: &T| Some(intern(&it.to_string()));

    TextOfOption __obs_text: [T: AsRef<str>] (&&) Option<T> => Option<Str>, |it: &Option<T>| it.as_ref().map(|it| Str::copied(it.as_ref()));
    TextOfText __obs_text: [T: AsRef<str> + ?Sized] (&) T => Option<Str>, |it: &T| Some(Str::copied(it.as_ref()));
    TextOfDisplay __obs_text: [T: Display + ?Sized] () T => Option<Str>, |it: &T| Some(it.to_string().into());

    ErrorOfError __obs_error: [T: Error + ?Sized] (&&&&&) T => ErrorInfo, ErrorInfo::of;
    ErrorOfAsRef __obs_error: [T: AsRef<dyn Error> + ?Sized] (&&&&) T => ErrorInfo, |it: &T| inner::<T>(it.as_ref());
    ErrorOfAsRefSend __obs_error: [T: AsRef<dyn Error + Send + Sync> + ?Sized] (&&&) T => ErrorInfo, |it: &T| inner::<T>(it.as_ref());
    ErrorOfDisplay __obs_error: [T: Display + ?Sized] (&&) T => ErrorInfo, |it: &T| described::<T>(it.to_string());
    ErrorOfDebug __obs_error: [T: Debug + ?Sized] (&) T => ErrorInfo, |it: &T| described::<T>(format!("{it:?}"));
    ErrorOfAny __obs_error: [T: ?Sized] () T => ErrorInfo, |_: &T| described::<T>(format!("[not captured: {}]", type_name::<T>()));
}

/// What a function returned, where that is no `Result`.
pub trait Whole<'a, T: ?Sized> {
    /// The value, which is no error.
    fn __obs_result(&self) -> Result<&'a T, &'a std::convert::Infallible>;
}

impl<'a, T: ?Sized> Whole<'a, T> for Probe<'a, T> {
    fn __obs_result(&self) -> Result<&'a T, &'a std::convert::Infallible> {
        Ok(self.0)
    }
}

impl<'a, T, E> Probe<'a, Result<T, E>> {
    /// What a function returned, where that is a `Result`: an inherent method is found before one of a trait.
    ///
    /// # Errors
    /// What it returned.
    pub fn __obs_result(&self) -> Result<&'a T, &'a E> {
        self.0.as_ref()
    }
}

fn argument<T: Serialize + ?Sized>(value: &T) -> Captured {
    guarded(|| serde_json::to_string(value))
        .and_then(Result::ok)
        .map_or_else(|| left_out(value), Captured::Json)
}

fn debugged_argument<T: Debug + ?Sized>(value: &T) -> Captured {
    guarded(|| format!("{value:?}")).map_or_else(|| left_out(value), Captured::Text)
}

fn left_out<T: ?Sized>(_: &T) -> Captured {
    Captured::Left(type_name::<T>())
}

/// Text of an object or an array is looked at by the pipeline, off this thread; the rest is short, or a string in quotes.
fn payload<T: Serialize + ?Sized>(value: &T) -> Option<Payload> {
    let json = serde_json::to_string(value).ok()?;
    if json.starts_with(['{', '[']) { Some(Payload::unchecked(json)) } else { Payload::from_json(&json) }
}

fn nothing<T: ?Sized>(_: &T) -> Option<Payload> {
    None
}

fn value<T: Serialize + ?Sized>(value: &T) -> Value {
    let left_out = || Value::from(format!("[not captured: {}]", type_name::<T>()));
    serde_json::to_value(value).map_or_else(|_| left_out(), Value::from)
}

/// The error in a box or a report, which has no type to name but that of what holds it.
fn inner<T: ?Sized>(error: &dyn Error) -> ErrorInfo {
    let holder = type_name::<T>();
    let holder = (!holder.starts_with("alloc::boxed::Box")).then(|| Str::from_static(holder));
    ErrorInfo { error_type: holder, ..ErrorInfo::of(error) }
}

/// An error that only says something; text names no type of error.
fn described<T: ?Sized>(message: String) -> ErrorInfo {
    let name = type_name::<T>();
    let text = matches!(name.trim_start_matches('&'), "str" | "alloc::string::String");
    let error_type = (!text).then(|| Str::from_static(name));
    ErrorInfo { error_type, ..ErrorInfo::message(message) }
}
