//! What a client refuses to be made of.

use std::time::Duration;

use obs_core::ErrorKind;
use obs_http::{Auth, Client, HttpConfig};

use crate::watch::Watch;

#[track_caller]
fn refused(config: &HttpConfig, field: &str, words: &str) {
    let error = Client::new(config).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let said = error.to_string();
    assert!(said.starts_with(&format!("{field}: ")) && said.contains(words), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

fn with_key(endpoint: &str) -> HttpConfig {
    HttpConfig::new(endpoint).with_auth(Auth::bearer("hunter2"))
}

#[test]
fn an_endpoint_that_is_none_is_refused_by_name() {
    refused(&HttpConfig::default(), "endpoint", "missing");
    refused(&HttpConfig::new("api.example.com/v1"), "endpoint", "write \"https://api.example.com/v1\"");
    refused(&HttpConfig::new("localhost:4318"), "endpoint", "write \"http://localhost:4318\"");
    refused(&HttpConfig::new("hunter2"), "endpoint", "write \"https://HOST\"");
    refused(&HttpConfig::new("ftp://u:hunter2@h"), "endpoint", "another scheme");
    refused(&HttpConfig::new("https://"), "endpoint", "no address");
    refused(&HttpConfig::new("https://user:hunter2@h/p?hunter2"), "endpoint", "remove them and set `auth`");
    refused(&HttpConfig::new("https://hunter2@h"), "endpoint", "\"https://h/\" has a user or password");
    refused(&HttpConfig::new("https://h/a\r\nb"), "endpoint", "control character");
}

#[test]
fn law_6_a_credential_goes_over_plain_http_to_this_machine_only() {
    for config in [
        with_key("http://api.example.com"),
        with_key("http://10.0.0.1:9091"),
        with_key("http://localhost.example.com"),
        HttpConfig::new("http://h").with_header("x-any", "hunter2"),
        HttpConfig::new("http://h").with_auth(Auth::basic("u", "hunter2")),
        HttpConfig::new("http://h?api_key=hunter2"),
        // A proxy elsewhere would read what goes to this machine.
        with_key("http://localhost:1").with_proxy("http://proxy.example.com:3128"),
    ] {
        refused(&config, "endpoint", "use https, or set allow_http = true");
        Client::new(&config.with_allow_http(true)).unwrap();
    }
    for endpoint in
        ["https://h", "http://localhost:1", "http://127.1.2.3", "http://[::1]:8080", "http://a.localhost"]
    {
        Client::new(&with_key(endpoint)).unwrap();
    }
}

#[test]
fn law_6_a_header_that_is_no_credential_goes_over_plain_http() {
    let plain = HttpConfig::new("http://h").with_plain_header("x-experiment", "7");
    Client::new(&plain).unwrap();
    for config in [
        plain.clone().with_header("x-experiment", "hunter2"),
        plain.clone().with_header("x-any", "hunter2"),
        plain.with_auth(Auth::bearer("hunter2")),
    ] {
        refused(&config, "endpoint", "use https, or set allow_http = true");
    }
}

#[test]
fn law_6_a_proxys_credential_goes_over_plain_http_to_this_machine_only() {
    for endpoint in ["https://h", "http://h", "http://localhost:1"] {
        for proxy in
            ["http://user:hunter2@proxy:3128", "http://hunter2@10.0.0.1:3128", "http://:hunter2@proxy"]
        {
            let config = HttpConfig::new(endpoint).with_proxy(proxy);
            refused(&config, "proxy", "write \"https://HOST:PORT\", or set allow_http = true");
            Client::new(&config.with_allow_http(true)).unwrap();
        }
        for proxy in [
            "http://proxy:3128",
            "https://user:hunter2@proxy:3128",
            "http://user:hunter2@localhost:3128",
            "http://user:hunter2@[::1]:3128",
            "none",
        ] {
            Client::new(&HttpConfig::new(endpoint).with_proxy(proxy)).unwrap();
        }
    }
}

#[test]
fn a_proxys_credential_over_plain_http_is_named_in_the_log() {
    let (watch, _guard) = Watch::start();
    let config = HttpConfig::new("https://h").with_proxy("http://user:hunter2@proxy:3128");
    Client::new(&config.with_allow_http(true)).unwrap();
    let said = watch.own();
    assert!(said.len() == 1 && said[0].contains("WARN") && said[0].contains("`proxy`"), "{said:?}");
    assert!(!said[0].contains("hunter2"), "{said:?}");
}

#[test]
fn plain_http_is_named_once_in_the_log() {
    let (watch, _guard) = Watch::start();
    Client::new(&HttpConfig::new("http://127.0.0.1:9091")).unwrap();
    Client::new(&with_key("https://h")).unwrap();
    assert_eq!(watch.own(), [""; 0]);
    Client::new(&HttpConfig::new("http://pushgateway:9091/p?q=hunter2")).unwrap();
    let said = watch.own();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("INFO")
            && said[0].contains("http://pushgateway:9091/p")
            && !said[0].contains("hunter2")
    );
    Client::new(&with_key("http://h").with_allow_http(true)).unwrap();
    let said = watch.own();
    assert!(said.len() == 2 && said[1].contains("WARN") && said[1].contains("`auth`"), "{said:?}");
}

#[test]
fn link_local_hosts_are_refused_unless_allowed() {
    for host in ["169.254.169.254", "[fd00:ec2::254]", "[fe80::1]", "0xa9fea9fe", "metadata.google.internal"]
    {
        let config = HttpConfig::new(format!("http://{host}/latest"));
        refused(&config, "endpoint", "allow_link_local = true");
        Client::new(&config.with_allow_link_local(true)).unwrap();
    }
}

#[test]
fn headers_that_none_can_be_are_refused_by_name() {
    let good = HttpConfig::new("https://h");
    refused(&good.clone().with_header("x a", "1"), "headers", "`x a` is no name");
    refused(&good.clone().with_header("x-a\r\n", "1"), "headers", "`x-a\\r\\n` is no name");
    refused(&good.clone().with_header("x-a", "hunter2\r\nx-b: 1"), "headers", "`x-a` has a character");
    refused(&good.clone().with_header("x-a", "1").with_header("X-A", "2"), "headers", "is there twice");
    refused(&good.clone().with_header("Content-Length", "1"), "headers", "set by the client itself");
    let both = good.clone().with_header("Authorization", "hunter2").with_auth(Auth::bearer("hunter2"));
    refused(&both, "auth", "stands in `headers`, too");
    for (auth, words) in [
        (Auth::bearer("hunter2\n"), "line break"),
        (Auth::bearer(""), "is empty"),
        (Auth::header("x key", "hunter2"), "the header's name"),
        (Auth::header("connection", "hunter2"), "set by the client itself"),
        (Auth::basic("a:b", "hunter2"), "colon"),
        (Auth::basic("a", "hunter2\n"), "line break"),
    ] {
        refused(&good.clone().with_auth(auth), "auth", words);
    }
    refused(&good.clone().with_user_agent("a\nb"), "user_agent", "a character");
}

#[test]
fn times_files_and_proxies_are_checked() {
    let good = HttpConfig::new("https://h");
    refused(&good.clone().with_timeout(Duration::ZERO), "timeout", "no time");
    refused(&good.clone().with_connect_timeout(Duration::ZERO), "connect_timeout", "no time");
    refused(&good.clone().with_ca_file("/no/such/file.pem"), "ca_file", "/no/such/file.pem: No such file");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, "no certificate").unwrap();
    refused(&good.clone().with_ca_file(&path), "ca_file", "no certificate in PEM");
    let with = |certificate: &std::path::Path, key: &std::path::Path| {
        good.clone().with_client_certificate(certificate, key)
    };
    let missing = std::path::Path::new("/no/such/file.pem");
    refused(&with(missing, &path), "client_certificate", "/no/such/file.pem: No such file");
    refused(&with(&path, missing), "client_key", "/no/such/file.pem: No such file");
    refused(&with(&path, &path), "client_certificate", "no certificate and key in PEM");
    let mut half = with(&path, &path);
    half.client_key = None;
    refused(&half, "client_key", "not set");
    half.client_key = half.client_certificate.take();
    refused(&half, "client_certificate", "not set");
    refused(&good.clone().with_proxy("hunter2"), "proxy", "no address");
    refused(&good.clone().with_proxy("socks5://u:hunter2@h"), "proxy", "another scheme");
    for proxy in ["none", "NONE", "http://h:3128", "https://u:p@h"] {
        Client::new(&good.clone().with_proxy(proxy)).unwrap();
    }
}
