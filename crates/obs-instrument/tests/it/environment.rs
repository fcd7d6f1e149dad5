//! What the environment says, and who wins.

use std::sync::{Arc, Mutex};

use obs_core::Env;
use obs_instrument::{Observability, ObservabilityBuilder, Sampling};
use obs_testkit::Scripted;
use tracing::field::{Field, Visit};

use crate::collect::Bench;

/// Builds while listening to what obs says in `tracing`.
fn told(
    build: impl FnOnce() -> Result<ObservabilityBuilder, obs_core::Error>,
) -> (Observability, Vec<String>) {
    let lines = Lines::default();
    let obs = tracing::subscriber::with_default(lines.clone(), || {
        build().unwrap().to(Scripted::new([])).build().unwrap()
    });
    let lines = std::mem::take(&mut *lines.0.lock().unwrap());
    (obs, lines)
}

fn sampling(variables: &[(&str, &str)], code: Option<Sampling>) -> (String, Vec<String>) {
    let env = Env::of(variables.iter().copied());
    let (obs, lines) = told(|| {
        let builder = match code {
            Some(code) => Observability::builder("test").sampling(code),
            None => Observability::builder("test"),
        };
        builder.from_vars(&env)
    });
    (format!("{:?}", obs.sampling()), lines)
}

#[test]
fn the_first_variable_counts_and_code_wins_over_all() {
    let variables = [
        ("OBS_SAMPLING", "0.5"),
        ("MASTRA_OBSERVABILITY_SAMPLING", "0.25"),
        ("OTEL_TRACES_SAMPLER", "parentbased_always_off"),
    ];
    for (at, expected) in ["Ratio(0.5)", "Ratio(0.25)", "Never"].into_iter().enumerate() {
        assert_eq!(sampling(&variables[at..], None).0, expected);
    }
    assert_eq!(sampling(&variables, Some(Sampling::Always)).0, "Always");
    assert_eq!(sampling(&[], None).0, "Always", "all traces unless something else is said");
}

#[test]
fn a_conflict_is_told_in_one_line_with_both_the_winner_and_the_next_step() {
    let variables = [("OBS_SAMPLING", "0.5"), ("OTEL_TRACES_SAMPLER", "always_off")];
    let (_, lines) = sampling(&variables, None);
    assert_eq!(
        lines,
        ["OBS_SAMPLING and OTEL_TRACES_SAMPLER say different things of sampling: OBS_SAMPLING wins; \
          unset OTEL_TRACES_SAMPLER, or let both say the same"]
    );
    let (_, lines) = sampling(&variables, Some(Sampling::Never));
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("the code and OBS_SAMPLING say"), "{lines:?}");
    let all = [variables[0], ("MASTRA_OBSERVABILITY_SAMPLING", "never"), variables[1]];
    let (_, lines) = sampling(&all, None);
    assert_eq!(lines.len(), 1, "one line, however many: {lines:?}");
    assert!(lines[0].contains("unset MASTRA_OBSERVABILITY_SAMPLING, OTEL_TRACES_SAMPLER"), "{lines:?}");
}

#[test]
fn what_says_the_same_is_no_conflict() {
    let same = [
        ("OBS_SAMPLING", "1.0"),
        ("MASTRA_OBSERVABILITY_SAMPLING", "always"),
        ("OTEL_TRACES_SAMPLER", "always_on"),
        ("OBS_ENABLED", "true"),
        ("OTEL_SDK_DISABLED", "false"),
        ("OTEL_SERVICE_NAME", "test"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=test,host.name=h"),
    ];
    assert_eq!(sampling(&same, Some(Sampling::Always)).1, Vec::<String>::new());
}

#[test]
fn a_share_without_its_sampler_is_told_and_ignored() {
    let (sampling, lines) = sampling(&[("OTEL_TRACES_SAMPLER_ARG", "0.5")], None);
    assert_eq!((sampling.as_str(), lines.len()), ("Always", 1));
    assert!(
        lines[0].starts_with("OTEL_TRACES_SAMPLER_ARG is ignored, since OTEL_TRACES_SAMPLER"),
        "{lines:?}"
    );
}

#[test]
fn what_opentelemetry_s_variables_say_wrong_is_told_in_one_line_and_stops_nothing() {
    for (name, value, advice) in [
        ("OTEL_TRACES_SAMPLER", "parentbased_jaeger_remote", "parentbased_traceidratio"),
        ("OTEL_SDK_DISABLED", "sk-secret", "true or false"),
        ("OTEL_RESOURCE_ATTRIBUTES", "no-pair", "KEY=VALUE"),
    ] {
        let (sampling, lines) = sampling(&[(name, value)], None);
        assert_eq!((sampling.as_str(), lines.len()), ("Always", 1), "{lines:?}");
        assert!(lines[0].starts_with(&format!("ignored, as if it were not set: {name}: ")), "{lines:?}");
        assert!(lines[0].contains(advice) && !lines[0].contains(value), "{lines:?}");
    }
    let share = [("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "ten percent")];
    let (_, lines) = sampling(&share, None);
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains("OTEL_TRACES_SAMPLER_ARG: it cannot be read"), "{lines:?}");
}

#[test]
fn a_sampler_that_is_not_parentbased_overrules_remote_parents() {
    let (trace_id, span_id) = (obs_core::TraceId::new(7).unwrap(), obs_core::SpanId::new(9).unwrap());
    let remote = obs_instrument::Context::remote(trace_id, span_id, false, None);
    for (sampler, expected) in [("always_on", true), ("parentbased_always_on", false)] {
        let env = Env::of([("OTEL_TRACES_SAMPLER", sampler)]);
        let bench = Bench::with(|builder| builder.from_vars(&env).unwrap());
        assert_eq!(remote.scope(|| bench.obs.span("child").is_recording()), expected, "{sampler}");
    }
}

#[test]
fn recording_is_switched_off_by_any_of_three() {
    let on = |variables: &[(&str, &str)]| {
        let (obs, lines) =
            told(|| Observability::builder("test").from_vars(&Env::of(variables.iter().copied())));
        (obs.span("s").is_recording(), lines.len())
    };
    assert_eq!(on(&[]), (true, 0));
    assert_eq!(on(&[("OBS_ENABLED", "false")]), (false, 0));
    assert_eq!(on(&[("MASTRA_OBSERVABILITY_ENABLED", "0")]), (false, 0));
    assert_eq!(on(&[("OTEL_SDK_DISABLED", "TRUE")]), (false, 0));
    assert_eq!(on(&[("OBS_ENABLED", "on"), ("OTEL_SDK_DISABLED", "true")]), (true, 1));
    let env = Env::of([("OBS_ENABLED", "true")]);
    let (obs, lines) = told(|| Observability::builder("test").enabled(false).from_vars(&env));
    assert_eq!((obs.span("s").is_recording(), lines.len()), (false, 1), "{lines:?}");
}

#[test]
fn the_service_and_its_resource_come_from_variables_where_the_code_is_silent() {
    let attributes =
        "service.name=from-attributes,deployment.environment.name=prod,service.version=1.2,team=ml%20ops";
    let env = Env::of([("OTEL_RESOURCE_ATTRIBUTES", attributes)]);
    let resource = |build: &dyn Fn() -> Result<ObservabilityBuilder, obs_core::Error>| {
        let exporter = Scripted::new([]);
        let lines = Lines::default();
        let obs = tracing::subscriber::with_default(lines.clone(), || {
            build().unwrap().to(Arc::clone(&exporter)).build().unwrap()
        });
        obs.span("s").end();
        assert!(obs.flush(std::time::Duration::from_secs(20)).complete);
        let records = exporter.records();
        let obs_core::Record::Span(span) = &records[0] else { panic!("{records:?}") };
        let span = span.span();
        let get =
            |key: &str| span.resource.attributes.get(key).and_then(|value| value.as_str().map(str::to_owned));
        let told =
            ["service.name", "team", "deployment.environment.name"].map(|key| get(key).unwrap_or_default());
        (told.join(" "), span.context.environment.clone(), span.context.release.clone(), lines.take())
    };

    let fallback = |env: &Env| Ok(Observability::from_vars("fallback", env)?.named_by_env());
    let (told, environment, release, lines) = resource(&|| fallback(&env));
    assert_eq!(told, "from-attributes ml ops prod");
    assert_eq!((environment.as_deref(), release.as_deref(), lines.len()), (Some("prod"), Some("1.2"), 0));

    let former = Env::of([("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=stage")]);
    let (.., environment, _, _) = resource(&|| fallback(&former));
    assert_eq!(environment.as_deref(), Some("stage"), "by the name that conventions had before");

    let both = Env::of([("OTEL_RESOURCE_ATTRIBUTES", attributes), ("OTEL_SERVICE_NAME", "from-name")]);
    let (told, .., lines) = resource(&|| fallback(&both));
    assert_eq!(told, "from-name ml ops prod");
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].starts_with("OTEL_SERVICE_NAME and service.name in OTEL_RESOURCE_ATTRIBUTES"),
        "{lines:?}"
    );

    let named: [&dyn Fn() -> Result<ObservabilityBuilder, obs_core::Error>; 2] =
        [&|| Observability::from_vars("code", &both), &|| Observability::builder("code").from_vars(&both)];
    for named in named {
        let (told, .., lines) = resource(named);
        assert_eq!(told, "code ml ops prod");
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(
            lines[0].starts_with("the code and OTEL_SERVICE_NAME, service.name in OTEL_RES"),
            "{lines:?}"
        );
    }

    let code = || Ok(Observability::builder("code").environment("staging").resource("team", "core"));
    let (told, environment, _, lines) = resource(&|| code()?.from_vars(&env));
    assert_eq!((told.as_str(), environment.as_deref()), ("code core staging", Some("staging")));
    assert_eq!(lines.len(), 2, "one line of the name, one of the attributes: {lines:?}");
    assert!(
        lines[1].contains("the resource's deployment.environment.name, team: the code wins"),
        "{lines:?}"
    );

    let (told, ..) = resource(&|| fallback(&Env::of([("A", "b")])));
    assert_eq!(told, "fallback  ");
}

#[test]
fn a_prefix_tells_two_instances_apart() {
    let env =
        Env::of([("PROFILING_OBS_SAMPLING", "never"), ("OBS_SAMPLING", "always")]).prefixed("PROFILING");
    let (obs, _) = told(|| Observability::builder("test").from_vars(&env));
    assert!(matches!(obs.sampling(), Sampling::Never));
    let refused = Env::of([("PROFILING_OBS_ENABLED", "maybe")]).prefixed("PROFILING");
    let error = Observability::from_vars("test", &refused).unwrap_err();
    assert_eq!(error.message(), "PROFILING_OBS_ENABLED: it is neither on nor off; set it to true or false");
}

/// The messages of `tracing` events under `obs::instrument`.
#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl tracing::Subscriber for Lines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "obs::instrument"
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut Message(&mut self.0.lock().unwrap()));
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

struct Message<'a>(&'a mut Vec<String>);

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0.push(format!("{value:?}"));
        }
    }
}
