//! Sockets and answers that go silent, on a clock that only the tests move.

use std::time::Duration;

use bedrock_emulator::{Behaviour, Fault, Script};
use outcrop_proxy::ws::connection::{PING_INTERVAL, PONG_TIMEOUT, STATUS_INTERVAL};
use protocol::close::CloseCode;
use serde_json::json;
use tokio::time::{Instant, pause, resume};

use crate::common::{Client, Heard, Opcode, Proxy, RawSocket, pipe, within};

const TICK: Duration = Duration::from_millis(50);

fn about(time: Duration, expected: Duration) -> bool {
    (expected..expected + TICK).contains(&time)
}

#[tokio::test]
async fn a_client_is_pinged_and_closed_if_it_shows_no_sign_of_life() {
    let proxy = Proxy::start().await;
    pause();
    let (pipe, socket) = pipe(&proxy, 1_024);
    let mut client = RawSocket { stream: pipe };
    let began = Instant::now();
    assert_eq!(client.read().await, Some((9, Vec::new())), "a ping");
    assert!(about(began.elapsed(), PING_INTERVAL), "{:?}", began.elapsed());
    let (opcode, payload) = client.read().await.expect("a close");
    assert_eq!((opcode, &payload[..2]), (8, &CloseCode::SILENT.0.to_be_bytes()[..]));
    assert!(about(began.elapsed(), PING_INTERVAL + PONG_TIMEOUT), "{:?}", began.elapsed());
    within("the end of the socket", socket).await.expect("no panic");
}

#[tokio::test]
async fn a_client_that_answers_pings_stays() {
    let proxy = Proxy::start().await;
    pause();
    let (pipe, _socket) = pipe(&proxy, 1_024);
    let mut client = RawSocket { stream: pipe };
    let began = Instant::now();
    for _ in 0..100 {
        assert_eq!(client.read().await, Some((9, Vec::new())));
        client.write(&Opcode(0x8a).frame(b"")).await;
    }
    assert!(began.elapsed() >= 100 * PING_INTERVAL);
    client.write(&Opcode::TEXT.frame(br#"{"id":"p","type":"ping"}"#)).await;
    assert_eq!(client.read().await.expect("a frame").1, br#"{"id":"p","type":"pong","data":{}}"#);
}

#[tokio::test]
async fn who_follows_a_silent_answer_hears_of_it_every_five_seconds_until_it_is_given_up() {
    for words in [0, 2] {
        let behaviour = Behaviour::text("one two three").with_fault(Fault::Silence { after_tokens: words });
        let proxy = Proxy::with(&["--max-attempts", "1"], Script::always(behaviour)).await;
        let (pipe, _socket) = pipe(&proxy, 64 * 1_024);
        let mut client = Client::over(pipe).await;
        client.send_message("r", "s", "count", true).await;
        let (mut message_id, mut seq) = (None, 0);
        while seq < u64::from(words) {
            let frame = client.frame().await;
            (message_id, seq) = (Some(frame.data["messageId"].clone()), frame.seq());
        }
        // The call has come to Bedrock and nothing is under way any more.
        within("the call", async {
            while proxy.emulator.ledger().is_empty() {
                tokio::task::yield_now().await;
            }
        })
        .await;
        client.ask("p", "ping", json!({})).await.expect("a pong");
        pause();
        let began = Instant::now();
        let mut statuses = 0_u32;
        let end = loop {
            match client.hear().await {
                Heard::Ping => {}
                Heard::Frame(frame) if frame.kind == "chat.status" => {
                    statuses += 1;
                    assert_eq!((frame.id.as_str(), frame.str("state")), ("r", "stalled"));
                    assert_eq!(&frame.data["messageId"], message_id.get_or_insert(frame.data["messageId"].clone()));
                    assert!(began.elapsed() < statuses * STATUS_INTERVAL + TICK, "{:?}", began.elapsed());
                }
                Heard::Frame(frame) => break frame,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(
            (end.kind.as_str(), end.str("code"), end.seq()),
            ("chat.error", "upstream_timeout", u64::from(words) + 1)
        );
        assert!((10..=12).contains(&statuses), "{statuses} in a minute");
        resume();
    }
}
