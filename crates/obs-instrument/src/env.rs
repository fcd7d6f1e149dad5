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
    /// A configuration error naming the variable that counts and cannot be read.
    pub(crate) fn read(env: &Env) -> Result<Self, Error> {
        let named = |name: &str| env.name(name);
        let enabled =
            ["OBS_ENABLED", "MASTRA_OBSERVABILITY_ENABLED"].map(|name| (named(name), env.switch(name)));
        let disabled = env.switch("OTEL_SDK_DISABLED").map(|disabled| disabled.map(|disabled| !disabled));
        let sampling = ["OBS_SAMPLING", "MASTRA_OBSERVABILITY_SAMPLING"]
            .map(|name| (named(name), read(env, name, SAMPLING, sampling)));
        let sampler = otel_sampler(env);
        let mut resource = read(env, "OTEL_RESOURCE_ATTRIBUTES", PAIRS, pairs)?.unwrap_or_default();
        let mut service = None;
        resource.retain(|(key, value)| {
            let is_service = *key == "service.name";
            if is_service {
                service = Some(value.clone()).filter(|name| !name.is_empty());
            }
            !is_service
        });
        let told = env.text("OTEL_SERVICE_NAME").map(|name| name.map(Str::from));
        let resource_name = named("OTEL_RESOURCE_ATTRIBUTES");
        Ok(Self {
            enabled: Said::of(enabled.into_iter().chain([(named("OTEL_SDK_DISABLED"), disabled)]))?,
            sampling: Said::of(sampling.into_iter().chain([(named("OTEL_TRACES_SAMPLER"), sampler)]))?,
            service: Said::of([
                (named("OTEL_SERVICE_NAME"), told),
                (format!("service.name in {resource_name}"), Ok(service)),
            ])?,
            resource,
            resource_name,
        })
    }
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

/// OpenTelemetry's samplers; those that are not `parentbased` decide for the children of other processes, too.
fn otel_sampler(env: &Env) -> Result<Option<Sampling>, Error> {
    const NAME: &str = "OTEL_TRACES_SAMPLER";
    const ARG: &str = "OTEL_TRACES_SAMPLER_ARG";
    let Some(sampler) = env.text(NAME)? else {
        if env.os(ARG).is_some() {
            let (name, arg) = (env.name(NAME), env.name(ARG));
            tracing::warn!(
                target: "obs::instrument",
                "{arg} is ignored, since {name} is not set; set {name} to traceidratio or parentbased_traceidratio"
            );
        }
        return Ok(None);
    };
    let ratio = || {
        let share = read(env, ARG, RATIO, |text| Sampling::ratio(text.parse().ok()?).ok())?;
        Ok::<_, Error>(share.unwrap_or(Sampling::Always))
    };
    let sampler = sampler.to_ascii_lowercase();
    let sampling = match sampler.trim_start_matches("parentbased_") {
        "always_on" => Sampling::Always,
        "always_off" => Sampling::Never,
        "traceidratio" => ratio()?,
        _ => {
            let message = format!("it names no sampler that is known here; set it to {SAMPLER}");
            return Err(Error::config(&env.name(NAME), message));
        }
    };
    let by_parent = sampler.starts_with("parentbased_");
    Ok(Some(if by_parent { sampling } else { sampling.ignoring_remote_parents() }))
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
        assert!(refused("OTEL_SDK_DISABLED", "sk-secret").contains("true or false"));
        assert!(refused("OBS_SAMPLING", "1.5").contains("fraction such as 0.1"));
        assert!(refused("MASTRA_OBSERVABILITY_SAMPLING", "sk-secret").contains("always, never"));
        assert!(refused("OTEL_TRACES_SAMPLER_ARG", "sk-secret").contains("between 0 and 1"));
        for text in ["novalue", "=v", "k=%f", "k=%zz", "k=%+1", "k=%ff"] {
            assert!(refused("OTEL_RESOURCE_ATTRIBUTES", text).contains("KEY=VALUE"));
        }
        let unknown = Vars::read(&Env::of([("OTEL_TRACES_SAMPLER", "xray")])).unwrap_err();
        assert!(unknown.message().contains("parentbased_traceidratio"), "{unknown}");
    }

    #[test]
    fn what_does_not_count_need_not_be_readable() {
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
