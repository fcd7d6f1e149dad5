//! The variables that Langfuse's own clients read.

use std::time::Duration;

use obs_core::units::Bytes;
use obs_core::{Env, Error};
use obs_http::Compression;

use crate::LangfuseConfig;

/// The address, the newest name first.
const ADDRESS: &[&str] = &["LANGFUSE_BASE_URL", "LANGFUSE_HOST", "LANGFUSE_BASEURL"];

/// The release: Langfuse's own name, then those that build systems and hosts set.
const RELEASE: &[&str] = &[
    "LANGFUSE_RELEASE",
    "RENDER_GIT_COMMIT",
    "CI_COMMIT_SHA",
    "CIRCLE_SHA1",
    "SOURCE_VERSION",
    "TRAVIS_COMMIT",
    "GIT_COMMIT",
    "GITHUB_SHA",
    "BITBUCKET_COMMIT",
    "BUILD_SOURCEVERSION",
    "DRONE_COMMIT_SHA",
];

/// A config of these variables.
pub(crate) fn read(env: &Env) -> Result<LangfuseConfig, Error> {
    let (public, secret) = ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY");
    if env.text(public)?.is_none() && env.text(secret)?.is_none() && env.text("LANGFUSE_API_KEY")?.is_some() {
        let (public, secret) = (env.name(public), env.name(secret));
        let message = format!("Langfuse has two keys and no single one; set {public} and {secret}");
        return Err(Error::config(&env.name("LANGFUSE_API_KEY"), message));
    }
    let public = env.required(&[public], "the project's public key, pk-lf-…")?;
    let secret = env.required(&[secret], "the project's secret key, sk-lf-…")?;
    let mut config = LangfuseConfig::new(public, secret);
    if let Some(address) = env.first(ADDRESS)? {
        config.http.endpoint = address;
    }
    config.environment = env.text("LANGFUSE_TRACING_ENVIRONMENT")?;
    config.release = env.first(RELEASE)?;
    if let Some(timeout) = timeout(env)? {
        config.http.timeout = timeout;
    }
    if let Some(compression) = compression(env)? {
        config.http.compression = Some(compression);
    }
    if let Some(path) = env.text("LANGFUSE_OTEL_TRACES_EXPORT_PATH")? {
        config.traces_path = path;
    }
    if let Some(bytes) = env.parsed("LANGFUSE_OTEL_MAX_BATCH_SIZE_BYTES", "a number of bytes")? {
        config.max_request_size = Bytes::new(bytes);
    }
    Ok(config)
}

fn timeout(env: &Env) -> Result<Option<Duration>, Error> {
    let name = "LANGFUSE_TIMEOUT";
    let what = "a number of seconds above 0";
    let Some(seconds) = env.parsed::<f64>(name, what)? else { return Ok(None) };
    let timeout = Duration::try_from_secs_f64(seconds).ok().filter(|timeout| !timeout.is_zero());
    timeout.map(Some).ok_or_else(|| Error::config(&env.name(name), format!("no time; set it to {what}")))
}

fn compression(env: &Env) -> Result<Option<Compression>, Error> {
    let name = "LANGFUSE_OTEL_COMPRESSION";
    let Some(text) = env.text(name)? else { return Ok(None) };
    match text.to_ascii_lowercase().as_str() {
        "gzip" => Ok(Some(Compression::Gzip)),
        "none" => Ok(Some(Compression::None)),
        _ => Err(Error::config(&env.name(name), "neither gzip nor none; set one of them")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<LangfuseConfig, Error> {
        let keys = [("LANGFUSE_PUBLIC_KEY", "pk-lf-1"), ("LANGFUSE_SECRET_KEY", "sk-lf-1")];
        read(&Env::of(keys.iter().chain(variables).copied()))
    }

    #[test]
    fn every_variable_has_its_place() {
        let config = of(&[
            ("LANGFUSE_BASE_URL", "https://own.example"),
            ("LANGFUSE_TRACING_ENVIRONMENT", "staging"),
            ("LANGFUSE_RELEASE", "2026.11"),
            ("LANGFUSE_TIMEOUT", "2.5"),
            ("LANGFUSE_OTEL_COMPRESSION", "none"),
            ("LANGFUSE_OTEL_TRACES_EXPORT_PATH", "/otel"),
            ("LANGFUSE_OTEL_MAX_BATCH_SIZE_BYTES", "100000"),
        ])
        .unwrap();
        let mut expected = LangfuseConfig::new("pk-lf-1", "sk-lf-1")
            .with_endpoint("https://own.example")
            .with_environment("staging")
            .with_release("2026.11")
            .with_traces_path("/otel")
            .with_max_request_size(100_000);
        expected.http.timeout = Duration::from_millis(2_500);
        expected.http.compression = Some(Compression::None);
        assert_eq!(config, expected);
    }

    #[test]
    fn newer_names_win_over_older_ones() {
        let hosts = [("LANGFUSE_BASEURL", "c"), ("LANGFUSE_HOST", "b"), ("LANGFUSE_BASE_URL", "a")];
        for nth in (1..=3).rev() {
            let config = of(&hosts[..nth]).unwrap();
            assert_eq!(config.http.endpoint, hosts[nth - 1].1);
        }
        assert_eq!(of(&[("GITHUB_SHA", "g"), ("GIT_COMMIT", "c")]).unwrap().release.as_deref(), Some("c"));
        assert_eq!(of(&[]).unwrap().release, None);
    }

    #[test]
    fn a_single_key_is_refused_with_the_two_that_are_meant() {
        let alone = read(&Env::of([("P_LANGFUSE_API_KEY", "sk-lf-secret")]).prefixed("P")).unwrap_err();
        assert_eq!(
            alone.message(),
            "P_LANGFUSE_API_KEY: Langfuse has two keys and no single one; set P_LANGFUSE_PUBLIC_KEY and \
             P_LANGFUSE_SECRET_KEY"
        );
        let half = read(&Env::of([("LANGFUSE_PUBLIC_KEY", "pk-lf-1")])).unwrap_err();
        assert!(half.message().starts_with("LANGFUSE_SECRET_KEY: not set"), "{}", half.message());
    }

    #[test]
    fn values_that_cannot_be_read_are_named() {
        for (name, value) in [
            ("LANGFUSE_TIMEOUT", "0"),
            ("LANGFUSE_TIMEOUT", "-1"),
            ("LANGFUSE_TIMEOUT", "soon"),
            ("LANGFUSE_OTEL_COMPRESSION", "zstd"),
            ("LANGFUSE_OTEL_MAX_BATCH_SIZE_BYTES", "4MB"),
        ] {
            let error = of(&[(name, value)]).unwrap_err();
            assert!(error.message().starts_with(&format!("{name}: ")), "{}", error.message());
        }
    }
}
