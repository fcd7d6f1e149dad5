//! A client is made anywhere and used on any runtime.

use obs_http::{Client, HttpConfig, Policy, Request};

use crate::raw::Raw;

fn current_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn law_2_made_without_a_runtime_it_sends_on_those_of_other_threads() {
    let servers = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = servers.block_on(Raw::saying(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
    let client = Client::new(&HttpConfig::new(server.url())).unwrap();
    // One runtime after the other: connections of one that ended are no trouble for the next.
    for _ in 0..3 {
        let client = client.clone();
        let sent = std::thread::spawn(move || {
            current_thread().block_on(async move {
                let request = Request::post("").with_body(client.body("{}"));
                client.send(&request, &Policy::DEFAULT).await.map(|answer| answer.status())
            })
        });
        assert_eq!(sent.join().unwrap().map_err(|failure| failure.message), Ok(200));
    }
}

#[tokio::test]
async fn requests_go_side_by_side_on_tasks_of_their_own() {
    let server = Raw::saying(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let client = Client::new(&HttpConfig::new(server.url())).unwrap();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.send(&Request::get(""), &Policy::DEFAULT).await.map(drop) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(server.heads.lock().unwrap().len(), 20);
}
