//! Credentials planted wherever the config takes one, and looked for wherever words come out.

use obs_http::{Auth, Client, HttpConfig, Policy, Request};
use obs_testkit::{Answer, CaptureServer};

use crate::watch::{Watch, log_lines};

/// What every planted credential holds; the characters around it are written differently in JSON and in addresses.
const PLANT: &str = "zq7vhunter";

fn plant() -> String {
    format!("{PLANT}\"/%4 +9")
}

/// A place for a credential: the config with one planted, and the credential as it stands there.
struct Planted {
    config: HttpConfig,
    /// As the config has it.
    credential: String,
    /// Whether the backend gets to see it.
    arrives: bool,
}

/// The config with a credential in each place that this field has for one.
///
/// A new field must say here which it takes.
fn plants(field: &str, url: &str) -> Vec<Planted> {
    let config = HttpConfig::new(url);
    let with =
        |config, credential: &str, arrives| Planted { config, credential: credential.to_owned(), arrives };
    let within = |user: &str| url.replace("://", &format!("://{user}@"));
    match field {
        "endpoint" => vec![
            with(config.clone().with_endpoint(format!("{url}/?api_key={PLANT}")), PLANT, true),
            with(config.clone().with_endpoint(format!("{url}/hooks/{PLANT}")), PLANT, true),
            with(config.clone().with_endpoint(format!("{url}/{PLANT}/in/")), PLANT, true),
            with(config.clone().with_endpoint(within(PLANT)), PLANT, false),
            with(config.with_endpoint(within(&format!("user:{PLANT}"))), PLANT, false),
        ],
        "headers" => vec![
            with(config.clone().with_header("x-any", plant()), &plant(), true),
            with(config.clone().with_header("authorization", format!("Splunk {}", plant())), &plant(), true),
            with(config.with_header("x-api-key", plant()), &plant(), true),
        ],
        "auth" => {
            auths().into_iter().map(|auth| with(config.clone().with_auth(auth), &plant(), true)).collect()
        }
        "proxy" => vec![
            with(config.clone().with_proxy(within(PLANT)), PLANT, true),
            with(config.with_proxy(within(&format!("user:{PLANT}"))), PLANT, true),
        ],
        "timeout" | "connect_timeout" | "compression" | "ca_file" | "client_certificate" | "client_key"
        | "allow_http" | "allow_link_local" | "user_agent" | "max_answer" => Vec::new(),
        other => panic!("{other} is new: say which credentials it takes"),
    }
}

/// One for each secret of each form.
fn auths() -> Vec<Auth> {
    let all = vec![
        Auth::bearer(plant()),
        Auth::basic(plant(), "pass"),
        Auth::basic("user", plant()),
        Auth::header("x-api-key", plant()),
    ];
    let secrets: usize = all.iter().map(secrets_of).sum();
    // Each form is there as often as it has secrets.
    assert_eq!(secrets, 1 + 2 * 2 + 1);
    all
}

/// How many secrets a form has; a new form or secret does not compile before it is counted.
fn secrets_of(auth: &Auth) -> usize {
    match auth {
        Auth::None => 0,
        Auth::Bearer(_) | Auth::Header { name: _, value: _ } => 1,
        Auth::Basic { user: _, password: _ } => 2,
    }
}

/// Answers that repeat the credential in every way a backend might.
fn repeating(credential: &str) -> Vec<Answer> {
    let json =
        serde_json::json!({ "error": { "message": format!("bad key {credential}"), "got": credential } });
    let words = format!("no such key: {credential}, as in https://u:{credential}@h");
    vec![
        Answer::status(200).with_body(words.clone()),
        Answer::status(400).with_json(&json),
        Answer::status(401).with_body(words.clone()),
        Answer::status(429).with_header("retry-after", PLANT).with_body(words),
        Answer::status(302).with_header("location", &format!("https://{PLANT}@h/{PLANT}?{PLANT}")),
        Answer::status(503).with_header("x-echo", PLANT),
    ]
}

#[tokio::test]
async fn law_6_no_planted_credential_comes_out() {
    let (watch, _guard) = Watch::start();
    log_lines();
    let server = CaptureServer::start().await;
    let (mut words, mut planted) = (Vec::new(), 0);
    for field in HttpConfig::FIELDS {
        for Planted { config, credential, arrives } in plants(field, &server.url()) {
            planted += 1;
            words.push(format!("{config:?}"));
            let client = match Client::new(&config) {
                Ok(client) => client,
                Err(error) => {
                    assert!(!arrives, "{field}: {error}");
                    words.push(format!("{error} {error:?}"));
                    continue;
                }
            };
            words.push(format!("{client:?} {}", client.place()));
            words.extend(talk(&client, &server, &credential).await);
            let sent = format!("{:?}", server.take_requests());
            let basic = sent.contains("Basic ");
            assert_eq!(sent.contains(PLANT) || basic, arrives, "{field} reaches the wire");
            words.extend(unreachable(&config).await);
        }
    }
    assert_eq!(planted, 5 + 3 + 4 + 2, "places for a credential");
    words.extend(watch.lines());
    let logged = log_lines();
    assert!(logged.iter().any(|line| line.contains("connection")), "the crates below are heard");
    words.extend(logged);
    assert!(words.len() > planted * 8);
    for line in words {
        assert!(!line.contains(PLANT), "{line}");
    }
}

/// One request for each answer, and all words that came of it.
async fn talk(client: &Client, server: &CaptureServer, credential: &str) -> Vec<String> {
    let mut words = Vec::new();
    for answer in repeating(credential) {
        server.answer([answer]);
        let request = Request::post("/v1?dry=1").with_body(client.body("{}"));
        words.push(format!("{request:?}"));
        words.push(match client.send(&request, &Policy::DEFAULT).await {
            Ok(answer) => format!("{answer:?}"),
            Err(failure) => format!("{failure:?}"),
        });
    }
    words
}

/// The words about a server that is not there.
async fn unreachable(config: &HttpConfig) -> Option<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let below = config.endpoint.splitn(4, '/').nth(3).unwrap_or_default();
    let client = Client::new(&config.clone().with_endpoint(format!("{nowhere}/{below}"))).ok()?;
    let failure = client.send(&Request::get(""), &Policy::DEFAULT).await.err()?;
    Some(format!("{failure:?}"))
}

#[tokio::test]
async fn law_6_short_credentials_are_scrubbed_and_short_values_of_other_headers_stay() {
    let server = CaptureServer::start().await;
    let said = "key 7q, version 1, tenant tenant-a, 1 of 7";
    let with_query = |query: &str| HttpConfig::new(format!("{}?{query}", server.url()));
    for (config, expected) in [
        (HttpConfig::new(server.url()).with_header("X-Version", "1"), said),
        (with_query("v=1"), said),
        (with_query("api_key=7q"), "key [REDACTED], version 1, tenant tenant-a, 1 of 7"),
        (
            HttpConfig::new(server.url()).with_header("X-Api-Key", "7q"),
            "key [REDACTED], version 1, tenant tenant-a, 1 of 7",
        ),
        (
            HttpConfig::new(server.url()).with_auth(Auth::bearer("7q")),
            "key [REDACTED], version 1, tenant tenant-a, 1 of 7",
        ),
        (
            HttpConfig::new(server.url()).with_header("X-Tenant", "tenant-a"),
            "key 7q, version 1, tenant [REDACTED], 1 of 7",
        ),
    ] {
        server.answer([Answer::status(400).with_body(said)]);
        let client = Client::new(&config).unwrap();
        let failure = client.send(&Request::post("/v1"), &Policy::DEFAULT).await.unwrap_err();
        assert_eq!(&*failure.message, format!("POST {}/v1 answered 400: {expected}", server.url()));
    }
}

#[tokio::test]
async fn law_6_an_endpoints_path_that_holds_a_key_is_shown_nowhere_and_what_requests_add_is() {
    let server = CaptureServer::start().await;
    let url = server.url();
    let send = async |path: &str, target: &str, said: &str| {
        server.answer([Answer::status(400).with_body(said)]);
        let client = Client::new(&HttpConfig::new(format!("{url}{path}"))).unwrap();
        let failure = client.send(&Request::post(target), &Policy::DEFAULT).await.unwrap_err();
        (failure.message.replace(&url, "URL"), client.place().replace(&url, "URL"))
    };
    let slack = "/services/T0ABC1234/B0DEF5678/abcdEFGHijkl";
    for (path, target, message, place) in [
        (slack, "", "POST URL/… answered 400: no", "URL/…"),
        (slack, "/v1/traces", "POST URL/…/v1/traces answered 400: no", "URL/…"),
        ("/hooks/catch/o2abc12/", "", "POST URL/… answered 400: no", "URL/…"),
        ("/otlp", "/v1/traces", "POST URL/otlp/v1/traces answered 400: no", "URL/otlp"),
        ("/api/public/otel/v2", "", "POST URL/api/public/otel/v2 answered 400: no", "URL/api/public/otel/v2"),
        ("", "/runs/o2abc12", "POST URL/runs/o2abc12 answered 400: no", "URL/"),
    ] {
        assert_eq!(send(path, target, "no").await, (message.to_owned(), place.to_owned()), "{path} {target}");
    }
    // Also where the target is a whole address, steps back, or the backend repeats it.
    for (target, said) in [
        (format!("{url}{slack}/x"), ""),
        (format!("{url}/else{slack}"), ""),
        ("../x".into(), ""),
        (String::new(), "no route /services/T0ABC1234/B0DEF5678/abcdEFGHijkl"),
    ] {
        let (message, _) = send(slack, &target, said).await;
        for key in ["T0ABC1234", "B0DEF5678", "abcdEFGHijkl"] {
            assert!(!message.contains(key), "{message}");
        }
    }
}
