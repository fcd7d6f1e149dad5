//! Through a proxy.

use obs_core::{ErrorKind, Retry};
use obs_http::{Auth, Client, HOLD, HttpConfig, Policy, Request};

use crate::raw::Raw;

/// Set in the process that the test of the environment starts: where a server of this machine listens.
const CHILD: &str = "OBS_HTTP_TEST_DIRECT";

fn through(proxy: &Raw, endpoint: &str) -> Client {
    let address = proxy.address;
    let config = HttpConfig::new(endpoint).with_proxy(format!("http://user:hunter2@{address}"));
    Client::new(&config).unwrap()
}

#[tokio::test]
async fn plain_requests_go_to_the_proxy_with_its_credentials() {
    let proxy = Raw::saying(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    through(&proxy, "http://backend.example").send(&Request::get("/v1"), &Policy::DEFAULT).await.unwrap();
    let head = proxy.heads.lock().unwrap()[0].to_lowercase();
    assert!(head.starts_with("get http://backend.example/v1 http/1.1"), "{head}");
    assert!(head.contains("proxy-authorization: basic dxnlcjpodw50zxiy"), "{head}");
}

#[tokio::test]
async fn a_proxy_that_refuses_the_credentials_holds_the_destination() {
    let refusal = b"HTTP/1.1 407 No\r\ncontent-length: 21\r\n\r\nuser:hunter2 is wrong";
    for endpoint in ["http://backend.example", "https://backend.example"] {
        let proxy = Raw::saying(refusal).await;
        let failure =
            through(&proxy, endpoint).send(&Request::get("/v1"), &Policy::DEFAULT).await.unwrap_err();
        assert_eq!((failure.kind, failure.retry), (ErrorKind::Auth, Retry::Hold(HOLD)), "{endpoint}");
        let message = &failure.message;
        assert!(message.contains("check the user and password in `proxy`"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn law_6_the_environments_proxy_is_taken_but_not_for_this_machine() {
    if let Ok(direct) = std::env::var(CHILD) {
        return send_to_both(&direct);
    }
    let servers = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let ok = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let (proxy, direct) = servers.block_on(async { (Raw::saying(ok).await, Raw::saying(ok).await) });
    let name = "law_6_the_environments_proxy_is_taken_but_not_for_this_machine";
    again(name, &[("http_proxy", &proxy.url()), (CHILD, &direct.url())]);
    let heads = |server: &Raw| server.heads.lock().unwrap().clone();
    assert_eq!((heads(&proxy).len(), heads(&direct).len()), (1, 1));
    assert!(heads(&proxy)[0].starts_with("GET http://backend.example/ "), "{:?}", heads(&proxy));
    assert!(heads(&direct)[0].starts_with("GET / "), "{:?}", heads(&direct));
}

/// Runs one of these tests in another process: the environment of this one is everybody's.
fn again(name: &str, environment: &[(&str, &str)]) {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("proxies::{name}")])
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn law_6_the_environments_proxy_gets_no_credential_over_plain_http() {
    if std::env::var(CHILD).is_ok() {
        let config = HttpConfig::new("https://backend.example");
        let said = Client::new(&config).unwrap_err().to_string();
        assert!(said.starts_with("proxy: the environment's is plain http"), "{said}");
        assert!(said.contains("allow_http = true") && !said.contains("hunter2"), "{said}");
        for config in [
            config.clone().with_allow_http(true),
            config.with_proxy("none"),
            HttpConfig::new("https://direct.example"),
            HttpConfig::new("https://localhost"),
            HttpConfig::new("http://backend.example"),
        ] {
            Client::new(&config).unwrap();
        }
        return;
    }
    let proxy = "http://user:hunter2@proxy.example:3128";
    let name = "law_6_the_environments_proxy_gets_no_credential_over_plain_http";
    again(
        name,
        &[
            ("https_proxy", proxy),
            ("http_proxy", "http://proxy.example"),
            ("no_proxy", "direct.example"),
            (CHILD, ""),
        ],
    );
}

#[test]
fn law_6_the_credential_of_the_environments_proxy_is_quoted_nowhere() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    if std::env::var(CHILD).is_ok() {
        let client = Client::new(&HttpConfig::new("http://backend.example")).unwrap();
        let sent = runtime.block_on(client.send(&Request::get(""), &Policy::DEFAULT));
        let message = sent.unwrap_err().message;
        assert!(message.contains("it said: [REDACTED]:[REDACTED] and [REDACTED] are wrong"), "{message}");
        return;
    }
    let refusal = b"HTTP/1.1 407 No\r\ncontent-length: 42\r\n\r\nme%:hunter2 and bWUlOmh1bnRlcjI= are wrong";
    let proxy = runtime.block_on(Raw::saying(refusal));
    let url = proxy.url().replace("://", "://me%25:hunter2@");
    again(
        "law_6_the_credential_of_the_environments_proxy_is_quoted_nowhere",
        &[("http_proxy", &url), (CHILD, "")],
    );
    assert_eq!(proxy.heads.lock().unwrap().len(), 1);
}

/// One request to a host elsewhere and one, with a credential, to this machine.
fn send_to_both(direct: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let elsewhere = HttpConfig::new("http://backend.example");
    let here = HttpConfig::new(direct).with_auth(Auth::bearer("hunter2"));
    for config in [elsewhere, here] {
        let client = Client::new(&config).unwrap();
        let sent = runtime.block_on(client.send(&Request::get(""), &Policy::DEFAULT));
        assert_eq!(sent.map(|answer| answer.status()).map_err(|failure| failure.message), Ok(200));
    }
}

#[test]
fn law_6_a_proxy_without_its_scheme_is_told_which_and_its_user_is_not_repeated() {
    for (proxy, written) in [
        ("u:hunter2@proxy:3128", "write \"http://proxy:3128\", or"),
        ("localhost:3128", "write \"http://localhost:3128\", or"),
        ("proxy.example.com:3128/hunter2", "write \"http://proxy.example.com:3128\", or"),
        ("hunter2:3128", "write \"http://HOST:PORT\", or"),
        ("u:hunter2", "write \"http://HOST:PORT\", or"),
        ("socks5://u:hunter2@proxy:1080", "write \"http://HOST:PORT\", or"),
    ] {
        let config = HttpConfig::new("https://h").with_proxy(proxy);
        let said = Client::new(&config).unwrap_err().to_string();
        assert!(said.starts_with("proxy: ") && said.contains(written), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
