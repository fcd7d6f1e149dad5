//! The model against a server that is none.

use super::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use wiremock::matchers::{body_partial_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::demo::model::Task;

fn prompt() -> Prompt {
    Prompt {
        task: Task::Answer,
        question: "What is a ledger?".to_owned(),
        sources: Vec::new(),
        facts: Vec::new(),
        max_tokens: 50,
    }
}

fn sse(events: &[&str]) -> String {
    events.iter().flat_map(|event| ["data: ", event, "\n\n"]).collect()
}

const HELLO: &str =
    r#"{"id":"c-1","model":"m-2","choices":[{"delta":{"role":"assistant","content":"A led"}}]}"#;
const REST: &str =
    r#"{"id":"c-1","model":"m-2","choices":[{"delta":{"content":"ger – größe"},"finish_reason":"stop"}]}"#;
const USAGE: &str = r#"{"id":"c-1","choices":[],"usage":{"prompt_tokens":31,"completion_tokens":5,"total_tokens":36,"prompt_tokens_details":{"cached_tokens":8},"completion_tokens_details":{"reasoning_tokens":2}}}"#;

async fn answered(template: ResponseTemplate) -> Result<(Generation, Vec<String>), ModelError> {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/chat/completions"))
        .and(body_partial_json(json!({ "model": "m-1", "stream": true, "max_tokens": 50,
            "stream_options": { "include_usage": true } })))
        .respond_with(template)
        .mount(&server)
        .await;
    let model = OpenAiCompatible::new(&format!("{}/v1/", server.uri()), "m-1", None).unwrap();
    let mut pieces = Vec::new();
    let written = model.generate(&prompt(), &mut |piece| pieces.push(piece.to_owned())).await?;
    Ok((written, pieces))
}

fn stream(body: String) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body, "text/event-stream")
}

#[tokio::test]
async fn a_stream_becomes_text_usage_reason_and_ids() {
    let (written, pieces) = answered(stream(sse(&[HELLO, REST, USAGE, "[DONE]"]))).await.unwrap();
    assert_eq!(pieces, ["A led", "ger – größe"]);
    assert_eq!(written.text, "A ledger – größe");
    assert_eq!(written.tokens, Some(Tokens { input: 31, output: 5, cached: 8, reasoning: 2 }));
    assert_eq!(written.finish.as_deref(), Some("stop"));
    assert_eq!(written.response_id.as_deref(), Some("c-1"));
    assert_eq!(written.response_model.as_deref(), Some("m-2"));
    assert!(written.first_token.is_some());
}

#[tokio::test]
async fn without_usage_there_is_none_rather_than_a_guess() {
    let (written, _) = answered(stream(sse(&[HELLO, REST]))).await.unwrap();
    assert_eq!(written.tokens, None);
}

#[tokio::test]
async fn a_refusal_is_quoted_up_to_a_limit() {
    let body = format!("{{\"error\":\"{}\"}}", "no ".repeat(100_000));
    let error = answered(ResponseTemplate::new(429).set_body_string(body)).await.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("the model server answered 429: {\"error\":\"no no"), "{text}");
    assert!(text.chars().count() < QUOTE + 50, "{}", text.len());
}

#[tokio::test]
async fn an_error_inside_the_stream_and_a_page_instead_of_one_are_errors() {
    let broken = answered(stream(sse(&[HELLO, r#"{"error":{"message":"overloaded"}}"#]))).await.unwrap_err();
    assert!(broken.to_string().contains("overloaded"), "{broken}");
    let page = answered(ResponseTemplate::new(200).set_body_string("<html>hi</html>")).await.unwrap_err();
    assert!(page.to_string().contains("base URL"), "{page}");
    let garbage = answered(stream(sse(&["{not json"]))).await.unwrap_err();
    assert_eq!(garbage.code(), "protocol");
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let piece = "x".repeat(300_000);
    let event = format!("{{\"choices\":[{{\"delta\":{{\"content\":\"{piece}\"}}}}]}}");
    let error = answered(stream(sse(&[&event, &event, &event, &event]))).await.unwrap_err();
    assert!(matches!(error, ModelError::TooLarge(_)), "{error}");
    let error = answered(stream("data: ".to_owned() + &"y".repeat(2 << 20))).await.unwrap_err();
    assert!(matches!(error, ModelError::TooLarge(_)), "{error}");
}

#[tokio::test]
async fn the_key_is_sent_and_shown_nowhere() {
    let server = MockServer::start().await;
    Mock::given(header("authorization", "Bearer sk-hidden"))
        .respond_with(ResponseTemplate::new(401))
        .expect(1)
        .mount(&server)
        .await;
    let model = OpenAiCompatible::new(&server.uri(), "m", Some(Secret::from("sk-hidden"))).unwrap();
    let error = model.generate(&prompt(), &mut |_| ()).await.unwrap_err();
    assert_eq!(error.to_string(), "the model server answered 401 without a text");
    assert!(!format!("{model:?} {error:?}").contains("sk-hidden"));
}

#[tokio::test]
async fn lines_and_letters_may_be_split_between_packets() {
    let body = sse(&[HELLO, REST, USAGE, "[DONE]"]);
    let url = serve(move |mut socket| async move {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        socket.write_all(head.as_bytes()).await.unwrap();
        for part in body.as_bytes().chunks(7) {
            socket.write_all(format!("{:x}\r\n", part.len()).as_bytes()).await.unwrap();
            socket.write_all(part).await.unwrap();
            socket.write_all(b"\r\n").await.unwrap();
            socket.flush().await.unwrap();
        }
        socket.write_all(b"0\r\n\r\n").await.unwrap();
    })
    .await;
    let model = OpenAiCompatible::new(&url, "m", None).unwrap();
    let written = model.generate(&prompt(), &mut |_| ()).await.unwrap();
    assert_eq!(written.text, "A ledger – größe");
    assert_eq!(written.tokens.map(|tokens| tokens.input), Some(31));
}

#[tokio::test]
async fn a_server_that_never_answers_meets_the_deadline() {
    let url = serve(|socket| async move {
        std::future::pending::<()>().await;
        drop(socket);
    })
    .await;
    let mut model = OpenAiCompatible::new(&url, "m", None).unwrap();
    model.deadline = Duration::from_millis(50);
    let error = model.generate(&prompt(), &mut |_| ()).await.unwrap_err();
    assert!(matches!(error, ModelError::Deadline(_)), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_as_such() {
    let model = OpenAiCompatible::new("http://user:pass@127.0.0.1:9", "m", None).unwrap();
    let error = model.generate(&prompt(), &mut |_| ()).await.unwrap_err();
    assert_eq!(error.code(), "transport");
    assert!(!error.to_string().contains("pass"), "{error}");
}

#[test]
fn an_address_that_cannot_work_is_refused_with_the_way_out() {
    let refused = |url: &str, key: Option<&str>| {
        OpenAiCompatible::new(url, "m", key.map(Secret::from)).unwrap_err().to_string()
    };
    assert!(refused("localhost", None).contains("use http://HOST:PORT/v1"));
    assert!(refused("ftp://host", None).contains("only http and https"));
    assert!(refused("http://example.com/v1", Some("sk")).contains("use https"));
    assert!(OpenAiCompatible::new("http://[::1]:8080/v1", "m", Some("sk".into())).is_ok());
}

/// Reads one request and lets `answer` do what it likes with the connection; the base URL.
async fn serve<F>(answer: impl FnOnce(tokio::net::TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"}") {
            let mut part = [0; 4096];
            let read = socket.read(&mut part).await.unwrap();
            request.extend_from_slice(&part[..read]);
        }
        answer(socket).await;
    });
    url
}
