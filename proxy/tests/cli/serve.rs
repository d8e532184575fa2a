//! `outcrop-proxy serve`, from its first line to its last.

use std::time::Duration;

use bedrock_emulator::{Config, Emulator};
use futures_util::{SinkExt, StreamExt};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, protocol::frame::coding::CloseCode},
};

use crate::command::{Run, Running};

pub(crate) const DEMO: [&str; 6] = ["serve", "--demo", "--demo-pace", "0", "--listen", "127.0.0.1:0"];

pub(crate) async fn connect(running: &mut Running) -> WebSocketStream<TcpStream> {
    let addr = running.addr().await;
    let stream = TcpStream::connect(addr).await.expect("a connection");
    client_async(format!("ws://{addr}/ws"), stream).await.expect("a handshake").0
}

async fn hear<S: AsyncRead + AsyncWrite + Unpin>(ws: &mut WebSocketStream<S>) -> Message {
    timeout(Duration::from_secs(30), ws.next()).await.expect("a message").expect("more").expect("a frame")
}

pub(crate) async fn chat<S: AsyncRead + AsyncWrite + Unpin>(ws: &mut WebSocketStream<S>, message: &str) -> Value {
    let data = json!({ "sessionId": "s", "message": message, "streaming": true });
    let frame = json!({ "id": "r", "type": "chat.send_message", "data": data });
    ws.send(Message::text(frame.to_string())).await.expect("sent");
    loop {
        let frame: Value = serde_json::from_str(hear(ws).await.to_text().expect("text")).expect("JSON");
        if frame["type"] != "chat.message_stream" {
            return frame;
        }
    }
}

#[tokio::test]
async fn a_signal_ends_it_in_seconds_with_a_goodbye_to_every_socket() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut running = Run::bare().spawn(&DEMO);
        let mut ws = connect(&mut running).await;
        assert_eq!(chat(&mut ws, "hello").await["type"], "chat.message_complete");
        let began = Instant::now();
        running.signal(signal);
        let draining: Value = serde_json::from_str(hear(&mut ws).await.to_text().expect("text")).expect("JSON");
        assert_eq!(draining["type"], "server.draining");
        let Message::Close(Some(close)) = hear(&mut ws).await else { panic!("no close") };
        assert_eq!(close.code, CloseCode::Restart);
        drop(ws);
        let ran = running.end().await;
        assert_eq!(ran.status.code(), Some(0), "{ran:?}");
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        assert!(ran.stdout.starts_with("DEMO MODE: answers come from the built-in emulator"), "{ran:?}");
    }
}

#[tokio::test]
async fn demo_auto_answers_from_the_emulator_where_there_are_no_credentials() {
    let mut running = Run::bare().spawn(&["serve", "--demo=auto", "--demo-pace=0", "--listen=127.0.0.1:0"]);
    let mut ws = connect(&mut running).await;
    assert_eq!(chat(&mut ws, "hello").await["type"], "chat.message_complete");
    running.signal(Signal::TERM);
    assert!(running.end().await.stdout.starts_with("DEMO MODE"));
}

#[tokio::test]
async fn with_credentials_it_calls_bedrock_and_tells_neither_secrets_nor_what_was_said() {
    let emulator = Emulator::start(Config::unpaced()).await.expect("an emulator");
    let said = "my diary of tuesday";
    for (log, quiet) in [("outcrop_proxy=debug", true), ("trace", false)] {
        emulator.clear_ledger();
        let mut running =
            Run::against(&emulator).spawn(&["serve", "--demo=auto", "--listen=127.0.0.1:0", "--log", log]);
        let mut ws = connect(&mut running).await;
        assert_eq!(chat(&mut ws, said).await["type"], "chat.message_complete");
        drop(ws);
        running.signal(Signal::TERM);
        let ran = running.end().await;
        assert_eq!(emulator.ledger().len(), 1);
        assert!(ran.stdout.starts_with("answers come from Bedrock in us-west-2 with access key …"), "{}", ran.stdout);
        assert!(ran.stderr.contains("answered"), "{}", ran.stderr);
        if quiet {
            assert!(!ran.stderr.contains(said), "{}", ran.stderr);
        }
    }
}
