//! What the environment says of an instance.

use obs_core::{Env, Error, Str};

use crate::Sampling;

/// What variables say; what code says wins over it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vars {
    pub(crate) enabled: Said<bool>,
    pub(crate) sampling: Said<Sampling>,
    pub(crate) service: Said<Str>,
    /// The attributes of `OTEL_RESOURCE_ATTRIBUTES`, without the service's name.
    pub(crate) resource: Vec<(Str, Str)>,
    /// What `OTEL_RESOURCE_ATTRIBUTES` is called here.
    pub(crate) resource_name: String,
}

/// What several variables say of one setting: each with its name, in the order in which they count.
///
/// One that does not count and cannot be read has no value.
#[derive(Debug, Clone)]
pub(crate) struct Said<T>(Vec<(String, Option<T>)>);

impl<T> Default for Said<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Said<T> {
    /// Of what each variable was found to say, those that say anything; the first of them must be readable.
    fn of(found: impl IntoIterator<Item = (String, Result<Option<T>, Error>)>) -> Result<Self, Error> {
        let mut said = Vec::new();
        for (name, value) in found {
            match value {
                Ok(None) => {}
                Ok(Some(value)) => said.push((name, Some(value))),
                Err(error) if said.is_empty() => return Err(error),
                Err(_) => said.push((name, None)),
            }
        }
        Ok(Self(said))
    }

    /// What counts: the code, else the first variable; who says otherwise is told in one line.
    pub(crate) fn settle(self, what: &str, code: Option<T>, same: impl Fn(&T, &T) -> bool) -> Option<T> {
        let mut said = self.0.into_iter();
        let (winner, value) = if let Some(value) = code {
            ("the code".to_owned(), value)
        } else {
            let (name, value) = said.next()?;
            (name, value?)
        };
        let others = said.filter(|(_, other)| other.as_ref().is_none_or(|other| !same(other, &value)));
        let others: Vec<_> = others.map(|(name, _)| name).collect();
        if !others.is_empty() {
            conflict(what, &winner, &others.join(", "));
        }
        Some(value)
    }
}

/// Names who says what and what to do; values may be secrets, and are not told.
pub(crate) fn conflict(what: &str, winner: &str, others: &str) {
    tracing::warn!(
        target: "obs::instrument",
        setting = what,
        winner,
        ignored = others,
        "{winner} and {others} say different things of {what}: {winner} wins; unset {others}, or let both say the same"
    );
}

const SAMPLING: &str = "always, never, or a fraction such as 0.1";
const SAMPLER: &str = "always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off or \
                       parentbased_traceidratio, or set OBS_SAMPLING, which counts first";
const RATIO: &str = "a fraction between 0 and 1, such as 0.1";
const PAIRS: &str = "KEY=VALUE,KEY=VALUE with values in percent-encoding";

impl Vars {
    /// # Errors
    /// A configuration error naming the variable of obs or Mastra that counts and cannot be read.
    pub(crate) fn read(env: &Env) -> Result<Self, Error> {
        let named = |name: &str| env.name(name);
        let enabled =
            ["OBS_ENABLED", "MASTRA_OBSERVABILITY_ENABLED"].map(|name| (named(name), env.switch(name)));
        let disabled = lenient(read(env, "OTEL_SDK_DISABLED", "true or false", otel_switch));
        let sampling = ["OBS_SAMPLING", "MASTRA_OBSERVABILITY_SAMPLING"]
            .map(|name| (named(name), read(env, name, SAMPLING, sampling)));
        let sampler = otel_sampler(env);
        let resource = lenient(read(env, "OTEL_RESOURCE_ATTRIBUTES", PAIRS, pairs));
        let mut resource = resource.unwrap_or_default();
        let mut service = None;
        resource.retain(|(key, value)| {
            let is_service = *key == "service.name";
            if is_service {
                service = Some(value.clone()).filter(|name| !name.is_empty());
            }
            !is_service
        });
        let told = lenient(env.text("OTEL_SERVICE_NAME")).map(Str::from);
        let resource_name = named("OTEL_RESOURCE_ATTRIBUTES");
        let disabled = (named("OTEL_SDK_DISABLED"), Ok(disabled.map(|disabled| !disabled)));
        Ok(Self {
            enabled: Said::of(enabled.into_iter().chain([disabled]))?,
            sampling: Said::of(sampling.into_iter().chain([(named("OTEL_TRACES_SAMPLER"), Ok(sampler))]))?,
            service: Said::of([
                (named("OTEL_SERVICE_NAME"), Ok(told)),
                (format!("service.name in {resource_name}"), Ok(service)),
            ])?,
            resource,
            resource_name,
        })
    }
}

/// OpenTelemetry's variables are set for many programs at once, so that one which is not understood stops none of them:
/// it is told in one line and counts as not set, as its specification has it.
fn lenient<T>(read: Result<Option<T>, Error>) -> Option<T> {
    read.unwrap_or_else(|error| {
        tracing::warn!(target: "obs::instrument", "ignored, as if it were not set: {}", error.message());
        None
    })
}

/// A variable's value as something else than text; the value is not repeated in the error.
fn read<T>(
    env: &Env,
    name: &str,
    what: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Error> {
    let Some(text) = env.text(name)? else { return Ok(None) };
    let message = || format!("it cannot be read; set it to {what}");
    read(&text).map(Some).ok_or_else(|| Error::config(&env.name(name), message()))
}

fn sampling(text: &str) -> Option<Sampling> {
    match text.to_ascii_lowercase().as_str() {
        "always" => Some(Sampling::Always),
        "never" => Some(Sampling::Never),
        share => Sampling::ratio(share.parse().ok()?).ok(),
    }
}

/// OpenTelemetry knows two words, in any case of their letters.
fn otel_switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// OpenTelemetry's samplers; those that are not `parentbased` decide for the children of other processes, too.
fn otel_sampler(env: &Env) -> Option<Sampling> {
    const NAME: &str = "OTEL_TRACES_SAMPLER";
    const ARG: &str = "OTEL_TRACES_SAMPLER_ARG";
    let Some(sampler) = lenient(read(env, NAME, SAMPLER, sampler)) else {
        if env.os(NAME).is_none() && env.os(ARG).is_some() {
            let (name, arg) = (env.name(NAME), env.name(ARG));
            tracing::warn!(
                target: "obs::instrument",
                "{arg} is ignored, since {name} is not set; set {name} to traceidratio or parentbased_traceidratio"
            );
        }
        return None;
    };
    let sampling = match sampler.decides {
        Decides::Always => Sampling::Always,
        Decides::Never => Sampling::Never,
        Decides::Ratio => {
            let share = read(env, ARG, RATIO, |text| Sampling::ratio(text.parse().ok()?).ok());
            lenient(share).unwrap_or(Sampling::Always)
        }
    };
    Some(if sampler.by_parent { sampling } else { sampling.ignoring_remote_parents() })
}

/// A name of `OTEL_TRACES_SAMPLER`.
struct Sampler {
    by_parent: bool,
    decides: Decides,
}

enum Decides {
    Always,
    Never,
    Ratio,
}

fn sampler(text: &str) -> Option<Sampler> {
    let text = text.to_ascii_lowercase();
    let below = text.strip_prefix("parentbased_");
    let decides = match below.unwrap_or(&text) {
        "always_on" => Decides::Always,
        "always_off" => Decides::Never,
        "traceidratio" => Decides::Ratio,
        _ => return None,
    };
    Some(Sampler { by_parent: below.is_some(), decides })
}

/// Pairs with commas between; none where one is no pair. Of two with one key the later counts.
fn pairs(text: &str) -> Option<Vec<(Str, Str)>> {
    let mut pairs: Vec<(Str, Str)> = Vec::new();
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=')?;
        let key = decoded(key.trim()).filter(|key| !key.is_empty())?;
        let value = decoded(value.trim())?;
        pairs.retain(|(known, _)| *known != key);
        pairs.push((key, value));
    }
    Some(pairs)
}

/// Text in percent-encoding; what is no UTF-8 behind it is none.
fn decoded(text: &str) -> Option<Str> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            out.push((digit()? * 16 + digit()?) as u8);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok().map(Str::from)
}

/// Whether two samplings were meant alike: what they do with roots is, which is all that some variables can say.
pub(crate) fn same_sampling(a: &Sampling, b: &Sampling) -> bool {
    use Sampling::{Always, Never, Ratio};
    let share = |sampling: &Sampling| match sampling.of_roots() {
        Always => Some(obs_core::Ratio::from_threshold(0)),
        Never => Some(obs_core::Ratio::from_threshold(u64::MAX)),
        Ratio(ratio) => Some(*ratio),
        _ => None,
    };
    share(a).is_some() && share(a) == share(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(env: &[(&str, &str)]) -> String {
        let vars = Vars::read(&Env::of(env.iter().copied())).unwrap();
        let sampling = vars.sampling.settle("sampling", None, same_sampling);
        sampling.map_or("unset".into(), |sampling| format!("{:?}", sampling.of_roots()))
    }

    #[track_caller]
    fn refused(name: &str, value: &str) -> String {
        let refused = Vars::read(&Env::of([(name, value), ("OTEL_TRACES_SAMPLER", "traceidratio")]));
        let error = refused.unwrap_err().message().to_owned();
        assert!(error.starts_with(name), "{error} names no {name}");
        assert!(!error.contains(value), "{error} repeats {value}");
        error
    }

    #[test]
    fn every_spelling_of_sampling_is_read() {
        for name in ["OBS_SAMPLING", "MASTRA_OBSERVABILITY_SAMPLING"] {
            assert_eq!(root(&[(name, "Always")]), "Always");
            assert_eq!(root(&[(name, "never")]), "Never");
            assert_eq!(root(&[(name, "0.25")]), "Ratio(0.25)");
        }
        let sampler =
            |name: &str, arg: &str| root(&[("OTEL_TRACES_SAMPLER", name), ("OTEL_TRACES_SAMPLER_ARG", arg)]);
        for by in ["", "parentbased_"] {
            assert_eq!(sampler(&format!("{by}always_on"), ""), "Always");
            assert_eq!(sampler(&format!("{by}always_off"), ""), "Never");
            assert_eq!(sampler(&format!("{by}traceidratio"), "0.25"), "Ratio(0.25)");
            assert_eq!(sampler(&format!("{by}traceidratio"), ""), "Always", "the share is 1 unless set");
        }
        assert_eq!(root(&[]), "unset");
    }

    #[test]
    fn what_cannot_be_read_is_named_with_what_to_set_and_not_repeated() {
        assert!(refused("OBS_ENABLED", "sk-secret").contains("true or false"));
        assert!(refused("OBS_SAMPLING", "1.5").contains("fraction such as 0.1"));
        assert!(refused("MASTRA_OBSERVABILITY_SAMPLING", "sk-secret").contains("always, never"));
    }

    #[test]
    fn what_of_opentelemetry_is_not_understood_counts_as_not_set() {
        for name in
            ["jaeger_remote", "parentbased_jaeger_remote", "xray", "parentbased_parentbased_always_off"]
        {
            assert_eq!(root(&[("OTEL_TRACES_SAMPLER", name)]), "unset");
        }
        let ratio = ("OTEL_TRACES_SAMPLER", "traceidratio");
        for arg in ["1.5", "sk-secret", "-0.1", "NaN"] {
            assert_eq!(
                root(&[ratio, ("OTEL_TRACES_SAMPLER_ARG", arg)]),
                "Always",
                "the share is 1 unless set"
            );
        }
        for text in ["novalue", "=v", "k=%f", "k=%zz", "k=%+1", "k=%ff", "service.name=s,novalue"] {
            let vars = Vars::read(&Env::of([("OTEL_RESOURCE_ATTRIBUTES", text)])).unwrap();
            assert!(vars.resource.is_empty() && vars.service.0.is_empty(), "{vars:?}");
        }
        for (text, enabled) in
            [("true", Some(false)), ("False", Some(true)), ("1", None), ("sk-secret", None)]
        {
            let vars = Vars::read(&Env::of([("OTEL_SDK_DISABLED", text)])).unwrap();
            assert_eq!(vars.enabled.settle("enabled", None, |a, b| a == b), enabled, "{text}");
        }
    }

    #[test]
    fn what_does_not_count_need_not_be_readable() {
        let env = [("OBS_SAMPLING", "never"), ("MASTRA_OBSERVABILITY_SAMPLING", "sometimes")];
        assert_eq!(root(&env), "Never");
        assert_eq!(root(&[("OBS_SAMPLING", "never"), ("OTEL_TRACES_SAMPLER", "jaeger_remote")]), "Never");
    }

    #[test]
    fn attributes_are_decoded_and_the_later_of_two_counts() {
        let vars = [("OTEL_RESOURCE_ATTRIBUTES", "a=1, b = %C3%A4%2C%3d ,a=2,,service.name=s,c=")];
        let vars = Vars::read(&Env::of(vars)).unwrap();
        let expected = [("b", "ä,="), ("a", "2"), ("c", "")];
        assert!(vars.resource.iter().map(|(k, v)| (k.as_str(), v.as_str())).eq(expected), "{vars:?}");
        assert_eq!(vars.service.settle("service", None, |a, b| a == b).as_deref(), Some("s"));
    }
}
