//! What a user gives, and what the environment says.

use obs_core::Env;
use obs_datadog::{Address, DatadogConfig, DatadogExporter, Mode};

fn of(variables: &[(&'static str, &'static str)]) -> DatadogConfig {
    DatadogConfig::from_vars(&Env::of(variables.iter().copied())).unwrap()
}

fn agent_of(variables: &[(&'static str, &'static str)]) -> Option<String> {
    let key = [("DD_API_KEY", "key-1")];
    let all: Vec<_> = key.iter().chain(variables).copied().collect();
    of(&all).agent_url.map(|url| url.as_str().to_owned())
}

#[test]
fn every_variable_reaches_its_option() {
    let read = of(&[
        ("DD_API_KEY", "key-1"),
        ("DD_APP_KEY", "app-1"),
        ("DD_SITE", "us5.datadoghq.com"),
        ("DD_SERVICE", "chat"),
        ("DD_ENV", "staging"),
        ("DD_VERSION", "1.2.3"),
        ("DD_TAGS", "team:platform, region:eu ,,"),
        ("DD_HOSTNAME", "host-1"),
        ("DD_LLMOBS_ML_APP", "support"),
        ("DD_AGENT_HOST", "agent"),
        ("DD_TRACE_AGENT_PORT", "9126"),
    ]);
    let wanted = DatadogConfig::new("key-1")
        .with_app_key("app-1")
        .with_site("us5.datadoghq.com")
        .with_service("chat")
        .with_env("staging")
        .with_version("1.2.3")
        .with_tags(["team:platform", "region:eu"])
        .with_hostname("host-1")
        .with_ml_app("support")
        .with_agent_url("http://agent:9126");
    assert_eq!(read, wanted);
}

#[test]
fn tags_without_commas_are_told_apart_by_spaces() {
    assert_eq!(of(&[("DD_API_KEY", "k"), ("DD_TAGS", "a:1  b:2")]).tags, ["a:1", "b:2"]);
    assert_eq!(of(&[("DD_API_KEY", "k"), ("DD_TAGS", "a:one two,b:2")]).tags, ["a:one two", "b:2"]);
}

#[test]
fn datadog_s_aliases_are_read_and_dd_wins() {
    let aliases = [("DATADOG_API_KEY", "alias"), ("DATADOG_APP_KEY", "alias-app")];
    assert_eq!(of(&aliases), DatadogConfig::new("alias").with_app_key("alias-app"));
    let both = [aliases[0], aliases[1], ("DD_API_KEY", "own"), ("DD_APP_KEY", "own-app")];
    assert_eq!(of(&both), DatadogConfig::new("own").with_app_key("own-app"));
}

#[test]
fn an_agent_is_used_where_one_is_named_unless_it_is_said_otherwise() {
    assert_eq!(agent_of(&[]), None);
    assert_eq!(agent_of(&[("DD_AGENT_HOST", "a")]).as_deref(), Some("http://a:8126"));
    assert_eq!(agent_of(&[("DD_AGENT_HOST", "fd00::1")]).as_deref(), Some("http://[fd00::1]:8126"));
    assert_eq!(agent_of(&[("DD_TRACE_AGENT_PORT", "1")]).as_deref(), Some("http://localhost:1"));
    let url = ("DD_TRACE_AGENT_URL", "http://b:2");
    assert_eq!(agent_of(&[url, ("DD_AGENT_HOST", "a")]).as_deref(), Some("http://b:2"));
    assert_eq!(agent_of(&[url, ("DD_LLMOBS_AGENTLESS_ENABLED", "1")]), None);
    let off = ("DD_LLMOBS_AGENTLESS_ENABLED", "false");
    assert_eq!(agent_of(&[off]).as_deref(), Some("http://localhost:8126"));
    assert_eq!(agent_of(&[off, url]).as_deref(), Some("http://b:2"));
}

#[test]
fn without_llm_observability_traces_go_to_apm() {
    let off = of(&[("DD_LLMOBS_ENABLED", "0"), ("DD_SITE", "ddog-gov.com")]);
    assert_eq!(off, DatadogConfig::default().with_mode(Mode::OtlpAgent).with_site("ddog-gov.com"));
    assert_eq!(of(&[("DD_LLMOBS_ENABLED", "1"), ("DD_API_KEY", "k")]).mode, Mode::Llmobs);
}

#[test]
fn without_a_key_an_agent_is_needed() {
    let none: [(&str, &str); 0] = [];
    let error = DatadogConfig::from_vars(&Env::of(none)).unwrap_err();
    assert!(error.message().starts_with("DD_API_KEY: not set"), "{error}");
    let agent = DatadogConfig::from_vars(&Env::of([("DD_AGENT_HOST", "a")])).unwrap();
    assert_eq!(agent, DatadogConfig::agent(Address::from("http://a:8126")));
    let prefixed = Env::of([("PROFILING_DATADOG_API_KEY", "k")]).prefixed("PROFILING");
    assert_eq!(DatadogConfig::from_vars(&prefixed).unwrap(), DatadogConfig::new("k"));
}

#[test]
fn the_seed_s_configuration_is_read_as_it_stands() {
    let json = r#"{
        "api_key": "key-1",
        "app_key": "app-1",
        "site": "datadoghq.com",
        "metrics_config": {
            "namespace": "foundation.profiling",
            "tags": ["environment:production", "service:api-server", "team:platform"]
        },
        "apm_config": {"service": "foundation-profiling", "env": "production", "version": "1.0.0"},
        "custom_metrics": {
            "processing_rate": {
                "metric_name": "foundation.log.processing_rate",
                "metric_type": "rate",
                "source_field": "messages_per_second"
            },
            "emoji_overhead": {
                "metric_name": "foundation.log.emoji_overhead",
                "metric_type": "gauge",
                "source_field": "emoji_overhead_percent"
            }
        }
    }"#;
    let config: DatadogConfig = serde_json::from_str(json).unwrap();
    assert_eq!(config.apm_config.service.as_deref(), Some("foundation-profiling"));
    assert_eq!((config.mode, config.custom_metrics.len()), (Mode::Llmobs, 2));
    assert!(DatadogExporter::new(config).is_ok());
}

#[test]
fn a_mode_is_named_in_words_and_a_misspelt_one_is_answered() {
    let read = |mode: &str| serde_json::from_str::<DatadogConfig>(&format!(r#"{{"mode": "{mode}"}}"#));
    assert_eq!(read("otlp_agent").unwrap().mode, Mode::OtlpAgent);
    assert_eq!(read("otlp_intake").unwrap().mode, Mode::OtlpIntake);
    assert!(read("otlp_agnt").unwrap_err().to_string().contains("`otlp_agent`"));
}
