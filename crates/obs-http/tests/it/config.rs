//! The config as it stands in a file, alone and beside an exporter's own options.

use std::time::Duration;

use obs_core::Secret;
use obs_http::{Auth, Compression, HttpConfig};
use serde::{Deserialize, Deserializer};

#[derive(Debug, PartialEq, Default, Deserialize)]
#[serde(remote = "Self", default)]
pub(crate) struct Flat {
    project: String,
    #[serde(with = "obs_core::units::duration")]
    window: Duration,
    #[serde(flatten)]
    http: HttpConfig,
}

impl<'de> Deserialize<'de> for Flat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(HttpConfig::beside(&["project", "window"], deserializer))
    }
}

const WHOLE: &str = r#"{
    "project": "p", "window": "2m",
    "endpoint": "https://h", "headers": {"x-a": "b"}, "auth": {"basic": {"user": "u", "password": "w"}},
    "timeout": "3s", "connect_timeout": "250ms", "compression": "zstd", "ca_file": "ca.pem",
    "client_certificate": "me.pem", "client_key": "me.key",
    "proxy": "http://proxy:3128", "allow_http": true, "allow_link_local": true, "user_agent": "me", "max_answer": "1MiB"
}"#;

fn whole() -> HttpConfig {
    HttpConfig::new("https://h")
        .with_header("x-a", "b")
        .with_auth(Auth::basic("u", "w"))
        .with_timeout(Duration::from_secs(3))
        .with_connect_timeout(Duration::from_millis(250))
        .with_compression(Compression::Zstd)
        .with_ca_file("ca.pem")
        .with_client_certificate("me.pem", "me.key")
        .with_proxy("http://proxy:3128")
        .with_allow_http(true)
        .with_allow_link_local(true)
        .with_user_agent("me")
        .with_max_answer(obs_core::units::Bytes::new(1 << 20))
}

#[test]
fn a_flattened_config_is_read_whole_and_its_builder_says_the_same() {
    let read: Flat = serde_json::from_str(WHOLE).unwrap();
    assert_eq!((read.project.as_str(), read.window, read.http), ("p", Duration::from_mins(2), whole()));
    let read: Flat = serde_json::from_value(serde_json::from_str(WHOLE).unwrap()).unwrap();
    assert_eq!(read.http, whole());
    assert_eq!(serde_json::from_str::<Flat>("{}").unwrap(), Flat::default());
}

#[test]
fn the_list_of_fields_is_that_of_the_struct() {
    let said = serde_json::from_str::<HttpConfig>(r#"{"zzzzzz": 1}"#).unwrap_err().to_string();
    let known = said.split('`').skip(3).step_by(2).collect::<Vec<_>>();
    assert_eq!(known, HttpConfig::FIELDS, "{said}");
    let whole: serde_json::Value = serde_json::from_str(WHOLE).unwrap();
    for field in HttpConfig::FIELDS {
        assert!(whole.get(field).is_some(), "{field} is in no test");
    }
}

#[test]
fn unknown_fields_are_refused_with_the_nearest_name() {
    for (field, meant) in [
        ("timeout_seconds", Some("timeout")),
        ("timeoutSeconds", Some("timeout")),
        ("connect_timeout_seconds", Some("connect_timeout")),
        ("end_point", Some("endpoint")),
        ("header", Some("headers")),
        ("allow_https", Some("allow_http")),
        ("colour_of_the_sky", None),
    ] {
        let json = format!(r#"{{"{field}": 30}}"#);
        let alone = serde_json::from_str::<HttpConfig>(&json).unwrap_err().to_string();
        let flat = serde_json::from_str::<Flat>(&json).unwrap_err().to_string();
        for said in [&alone, &flat] {
            assert!(said.starts_with(&format!("unknown field `{field}`")), "{said}");
            let suggestion = meant.map_or("known:".to_owned(), |meant| format!("did you mean `{meant}`?"));
            assert!(said.contains(&suggestion) && said.contains("at line 1"), "{said}");
        }
        assert!(flat.contains("`project`") && flat.contains("`max_answer`"), "{flat}");
    }
    let said = serde_json::from_str::<Flat>(r#"{"projct": 1}"#).unwrap_err().to_string();
    assert!(said.contains("did you mean `project`?"), "{said}");
}

#[test]
fn a_value_that_is_none_names_its_field() {
    for (json, words) in [
        (
            r#"{"timeout": 30}"#,
            "timeout: invalid type: integer `30`, expected a text of a number and a unit, such as \"30s\"",
        ),
        (r#"{"connect_timeout": "5"}"#, "connect_timeout: \"5\" "),
        (r#"{"max_answer": "much"}"#, "max_answer: \"much\" "),
        (r#"{"compression": "brotli"}"#, "unknown variant `brotli`"),
    ] {
        for said in [
            serde_json::from_str::<HttpConfig>(json).unwrap_err().to_string(),
            serde_json::from_str::<Flat>(json).unwrap_err().to_string(),
        ] {
            assert!(said.contains(words), "{said}");
        }
    }
}

#[test]
fn an_exporters_own_name_for_the_credential_is_the_one_that_is_suggested() {
    #[derive(Debug, Default, Deserialize)]
    #[serde(remote = "Self", default)]
    struct Keyed {
        api_key: Option<Secret>,
        #[serde(flatten)]
        http: HttpConfig,
    }
    impl<'de> Deserialize<'de> for Keyed {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Self::deserialize(HttpConfig::beside(&["api_key"], deserializer))
        }
    }
    assert_eq!(serde_json::from_str::<Keyed>("{}").unwrap().http, HttpConfig::default());
    for (field, instead) in [("token", "write `api_key` instead"), ("apikey", "did you mean `api_key`?")] {
        let said = serde_json::from_str::<Keyed>(&format!(r#"{{"{field}": "x"}}"#)).unwrap_err().to_string();
        assert!(said.contains(instead), "{said}");
    }
}

#[test]
fn defaults_are_kept_where_the_user_gave_something() {
    let known = |config: HttpConfig| {
        config.with_default_endpoint("https://vendor").with_default_compression(Compression::Gzip)
    };
    let config = known(HttpConfig::default());
    assert_eq!((config.endpoint.as_str(), config.compression), ("https://vendor", Some(Compression::Gzip)));
    let config = known(HttpConfig::new("https://mine").with_compression(Compression::None));
    assert_eq!((config.endpoint.as_str(), config.compression), ("https://mine", Some(Compression::None)));
}

#[test]
fn law_6_debug_shows_no_secret() {
    let config = whole()
        .with_endpoint("https://hunter2:hunter2@h/p?key=hunter2#hunter2")
        .with_header("x-b", "hunter2")
        .with_proxy("http://u:hunter2@proxy")
        .with_auth(Auth::header("x-key", Secret::new("hunter2")));
    let shown = format!("{config:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("https://h/p") && shown.contains("x-key"), "{shown}");
    for field in HttpConfig::FIELDS {
        assert!(shown.contains(&format!("{field}: ")), "{field} is not shown");
    }
}
