//! The variables of the environment.

use std::time::Duration;

use obs_core::{Env, Error, Signal};
use obs_http::Auth;
use serde::de::DeserializeOwned;

use crate::{Signing, Template, WebhookConfig};

/// Reads what is set; an address must be.
pub(crate) fn read(env: &Env) -> Result<WebhookConfig, Error> {
    let mut config = WebhookConfig::default();
    for (signal, name) in [
        (Signal::Traces, "OBS_WEBHOOK_TRACES_URL"),
        (Signal::Metrics, "OBS_WEBHOOK_METRICS_URL"),
        (Signal::Logs, "OBS_WEBHOOK_LOGS_URL"),
        (Signal::Scores, "OBS_WEBHOOK_SCORES_URL"),
        (Signal::Feedback, "OBS_WEBHOOK_FEEDBACK_URL"),
    ] {
        if let Some(address) = env.text(name)? {
            config = config.with_endpoint_of(signal, address);
        }
    }
    let names = ["OBS_WEBHOOK_URL", "OBS_WEBHOOK_ENDPOINT"];
    let endpoint = if config.endpoints.is_empty() {
        Some(env.required(&names, "the address that takes records, such as https://HOST/in/{signal}")?)
    } else {
        env.first(&names)?
    };
    config.http.endpoint = endpoint.unwrap_or_default();
    config.method = choice(env, "OBS_WEBHOOK_METHOD", "POST, PUT or PATCH")?.unwrap_or_default();
    config.format = choice(env, "OBS_WEBHOOK_FORMAT", "json, ndjson, form or text")?.unwrap_or_default();
    config.shape = choice(env, "OBS_WEBHOOK_SHAPE", "object, array or record")?.unwrap_or_default();
    if let Some(token) = env.text("OBS_WEBHOOK_TOKEN")? {
        config = config.with_auth(Auth::bearer(token));
    }
    config = headers(config, env)?;
    config.signals = signals(env)?;
    if let Some(template) = env.text("OBS_WEBHOOK_TEMPLATE")? {
        config = config.with_template(Template::per_batch(template));
    }
    config = signing(config, env)?;
    let seconds = "a number of seconds, such as 10 or 2.5";
    if let Some(timeout) = env.parsed::<f64>("OBS_WEBHOOK_TIMEOUT", seconds)? {
        config.http.timeout = Duration::try_from_secs_f64(timeout).map_err(|_| {
            Error::config(&env.name("OBS_WEBHOOK_TIMEOUT"), format!("it is no time; set it to {seconds}"))
        })?;
    }
    Ok(config)
}

/// One of several words, as a file has them.
fn choice<T: DeserializeOwned>(env: &Env, name: &str, what: &str) -> Result<Option<T>, Error> {
    let Some(text) = env.text(name)? else { return Ok(None) };
    let refuse = |_| Error::config(&env.name(name), format!("it cannot be read; set it to {what}"));
    serde_json::from_value(text.into()).map(Some).map_err(refuse)
}

/// Pairs as OpenTelemetry writes them, with `%XX` for what a value cannot hold; their values are credentials and repeated nowhere.
fn headers(mut config: WebhookConfig, env: &Env) -> Result<WebhookConfig, Error> {
    let name = "OBS_WEBHOOK_HEADERS";
    for pair in env.text(name)?.iter().flat_map(|text| text.split(',')).filter(|pair| !pair.trim().is_empty())
    {
        let (header, value) = pair.split_once('=').ok_or_else(|| {
            Error::config(&env.name(name), "a part has no `=`; set it to NAME=VALUE,NAME=VALUE")
        })?;
        let value = decoded(value.trim()).ok_or_else(|| {
            Error::config(
                &env.name(name),
                "a value is no UTF-8 where its `%XX` are read; write its bytes as such",
            )
        })?;
        config = config.with_header(header.trim(), value);
    }
    Ok(config)
}

/// The text with its `%XX` read; a `%` that no two digits follow is one. `None` if that is no UTF-8.
fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, behind @ ..] = rest {
        let digit = |at: usize| char::from(*behind.get(at)?).to_digit(16);
        if let (b'%', Some(high), Some(low)) = (first, digit(0), digit(1)) {
            bytes.push(u8::try_from(high * 16 + low).ok()?);
            rest = &behind[2..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    String::from_utf8(bytes).ok()
}

fn signals(env: &Env) -> Result<Option<Vec<Signal>>, Error> {
    let name = "OBS_WEBHOOK_SIGNALS";
    let Some(text) = env.text(name)? else { return Ok(None) };
    let read = |word: &str| Signal::ALL.into_iter().find(|signal| signal.as_str() == word.trim());
    let signals: Option<Vec<Signal>> = text.split(',').map(read).collect();
    signals.map(Some).ok_or_else(|| {
        Error::config(
            &env.name(name),
            "it cannot be read; set it to some of traces,metrics,logs,scores,feedback",
        )
    })
}

fn signing(config: WebhookConfig, env: &Env) -> Result<WebhookConfig, Error> {
    let form = choice(env, "OBS_WEBHOOK_SIGNING_FORM", "timestamped, standard or github")?;
    match (env.text("OBS_WEBHOOK_SIGNING_SECRET")?, form) {
        (Some(secret), form) => {
            let mut signing = Signing::new(secret);
            signing.form = form.unwrap_or_default();
            Ok(config.with_signing(signing))
        }
        (None, Some(_)) => {
            let message = format!(
                "not set, though {} is; set it to the secret that the receiver has",
                env.name("OBS_WEBHOOK_SIGNING_FORM")
            );
            Err(Error::config(&env.name("OBS_WEBHOOK_SIGNING_SECRET"), message))
        }
        (None, None) => Ok(config),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, Method, Shape, SignatureForm};

    #[test]
    fn every_variable_reaches_its_option() {
        let read = WebhookConfig::from_vars(&Env::of([
            ("OBS_WEBHOOK_URL", "https://h/in"),
            ("OBS_WEBHOOK_ENDPOINT", "https://other"),
            ("OBS_WEBHOOK_LOGS_URL", "https://h/logs"),
            ("OBS_WEBHOOK_METHOD", "PUT"),
            ("OBS_WEBHOOK_TOKEN", "token-1"),
            ("OBS_WEBHOOK_HEADERS", "x-a=1, x-b = 2=3 ,x-c=Basic%20a%2Cb,x-d=100%,x-e=%zz"),
            ("OBS_WEBHOOK_FORMAT", "form"),
            ("OBS_WEBHOOK_SHAPE", "array"),
            ("OBS_WEBHOOK_SIGNALS", "logs, traces"),
            ("OBS_WEBHOOK_TEMPLATE", "{{ records }}"),
            ("OBS_WEBHOOK_SIGNING_SECRET", "0123456789abcdef"),
            ("OBS_WEBHOOK_SIGNING_FORM", "github"),
            ("OBS_WEBHOOK_TIMEOUT", "2.5"),
        ]));
        let mut signing = Signing::new("0123456789abcdef");
        signing.form = SignatureForm::Github;
        let mut wanted = WebhookConfig::new("https://h/in")
            .with_endpoint_of(Signal::Logs, "https://h/logs")
            .with_method(Method::Put)
            .with_auth(Auth::bearer("token-1"))
            .with_header("x-a", "1")
            .with_header("x-b", "2=3")
            .with_header("x-c", "Basic a,b")
            .with_header("x-d", "100%")
            .with_header("x-e", "%zz")
            .with_format(Format::Form)
            .with_shape(Shape::Array)
            .with_signals([Signal::Logs, Signal::Traces])
            .with_template(Template::per_batch("{{ records }}"))
            .with_signing(signing);
        wanted.http.timeout = Duration::from_millis(2_500);
        assert_eq!(read.unwrap(), wanted);
    }

    #[test]
    fn an_address_of_one_signal_is_enough_and_none_is_named() {
        let one = Env::of([("P_OBS_WEBHOOK_SCORES_URL", "https://h/s")]).prefixed("P");
        assert_eq!(WebhookConfig::from_vars(&one).unwrap().http.endpoint, "");
        let none: [(&str, &str); 0] = [];
        let error = WebhookConfig::from_vars(&Env::of(none).prefixed("P")).unwrap_err();
        assert!(error.message().starts_with("P_OBS_WEBHOOK_URL: not set"), "{error}");
    }

    #[test]
    fn what_cannot_be_read_is_named_and_not_repeated() {
        for (name, value) in [
            ("OBS_WEBHOOK_METHOD", "hunter2"),
            ("OBS_WEBHOOK_HEADERS", "hunter2"),
            ("OBS_WEBHOOK_SIGNALS", "logs,hunter2"),
            ("OBS_WEBHOOK_TIMEOUT", "-1"),
            ("OBS_WEBHOOK_SIGNING_FORM", "hunter2"),
        ] {
            let env = Env::of([("OBS_WEBHOOK_URL", "https://h"), (name, value)]);
            let error = WebhookConfig::from_vars(&env).unwrap_err();
            assert!(error.message().starts_with(name) && !error.message().contains("hunter2"), "{error}");
        }
        let form = [("P_OBS_WEBHOOK_URL", "https://h"), ("P_OBS_WEBHOOK_SIGNING_FORM", "standard")];
        let error = WebhookConfig::from_vars(&Env::of(form).prefixed("P")).unwrap_err();
        assert!(error.message().starts_with("P_OBS_WEBHOOK_SIGNING_SECRET"), "{error}");
        assert!(error.message().contains(" P_OBS_WEBHOOK_SIGNING_FORM is"), "{error}");
        let bytes = Env::of([("OBS_WEBHOOK_URL", "https://h"), ("OBS_WEBHOOK_HEADERS", "x-a=%ff")]);
        let error = WebhookConfig::from_vars(&bytes).unwrap_err();
        assert!(error.message().starts_with("OBS_WEBHOOK_HEADERS: a value is no UTF-8"), "{error}");
    }
}
