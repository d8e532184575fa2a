use std::convert::Infallible;

use http_body_util::BodyExt;
use hyper::{Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, time::Instant};

use super::*;
use crate::ledger::{alerts::AlertPeriod, testing::alert};

/// An address that takes requests, and the bodies of those that came. It answers with each of `statuses`, and with the last again.
async fn server(statuses: &'static [u16]) -> (String, mpsc::UnboundedReceiver<serde_json::Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/alerts?of=outcrop", listener.local_addr().expect("an address"));
    let (sender, bodies) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut statuses = statuses.iter().copied().chain(std::iter::repeat(*statuses.last().expect("a status")));
        while let Ok((stream, _)) = listener.accept().await {
            let (sender, status) = (sender.clone(), statuses.next().expect("there is always one"));
            let answer = service_fn(move |request: Request<Incoming>| {
                let sender = sender.clone();
                async move {
                    assert_eq!((request.method(), request.uri().path()), (&Method::POST, "/alerts"));
                    assert_eq!(request.headers()[header::CONTENT_TYPE], "application/json");
                    let body = request.into_body().collect().await.expect("a body").to_bytes();
                    let _ = sender.send(serde_json::from_slice(&body).expect("JSON"));
                    let mut response = Response::new(Full::<Bytes>::default());
                    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
                    // So that the next request is another connection, with another answer.
                    response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
                    Ok::<_, Infallible>(response)
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    (url, bodies)
}

async fn bodies(statuses: &'static [u16], alerts: u64) -> Vec<serde_json::Value> {
    let (url, mut bodies) = server(statuses).await;
    let webhook = Webhook::waiting(&url, Duration::from_millis(1)).expect("an address");
    for percent in 0..alerts {
        webhook.tell(Alert { percent, ..alert(AlertPeriod::Day) });
    }
    webhook.finish().await;
    let mut all = Vec::new();
    while let Ok(body) = bodies.try_recv() {
        all.push(body);
    }
    all
}

#[tokio::test]
async fn an_alert_is_posted_as_json() {
    assert_eq!(bodies(&[204], 1).await, [serde_json::json!(Alert { percent: 0, ..alert(AlertPeriod::Day) })]);
}

#[tokio::test]
async fn it_is_sent_again_while_it_may_be_taken_another_time() {
    for (statuses, sent) in
        [(&[503, 429, 200][..], 3), (&[500, 500, 500, 200], 3), (&[404], 1), (&[302], 1), (&[408, 200], 2)]
    {
        assert_eq!(bodies(statuses, 1).await.len(), sent, "{statuses:?}");
    }
}

#[tokio::test]
async fn so_many_wait_and_the_newest_is_dropped() {
    let bodies = bodies(&[200], MAX_WAITING as u64 + 5).await;
    let percents: Vec<_> = bodies.iter().filter_map(|body| body["percent"].as_u64()).collect();
    assert_eq!(percents, (0..MAX_WAITING as u64).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn an_address_that_does_not_answer_is_left_after_three_times_five_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let webhook = Webhook::new(&format!("http://{}/", listener.local_addr().expect("an address"))).expect("an address");
    let began = Instant::now();
    webhook.tell(alert(AlertPeriod::Day));
    webhook.finish().await;
    let least = TIMEOUT * 3 + FIRST_WAIT * 3;
    assert!((least..least + Duration::from_secs(1)).contains(&began.elapsed()), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_and_not_told() {
    for bad in ["", "hooks.example/secret", "ftp://hooks.example/secret", "https://", "/secret"] {
        let error = Webhook::new(bad).expect_err("refused").to_string();
        assert!(error.contains("https://") && !error.contains("secret"), "{bad}: {error}");
    }
}
