//! Through a proxy.

use obs_core::{ErrorKind, Retry};
use obs_http::{Client, HOLD, HttpConfig, Policy, Request};

use crate::raw::Raw;

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
