//! A chat server's socket, as cheap for this machine as a client can be.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::error::LoadError;
use crate::source::Step;

/// Read and write buffer of a socket; 5,000 idle ones must fit beside the server.
const BUFFER_BYTES: usize = 4 * 1024;
/// The longest frame that a server may send; no server under test joins more text than this.
const MAX_FRAME_BYTES: usize = 1024 * 1024;

/// Questions of this process so far: each has an id of its own, and two processes share none.
static ASKED: AtomicU64 = AtomicU64::new(0);

/// One WebSocket with at most one answer under way.
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    data: Data<'a>,
}

#[derive(Deserialize, Default)]
struct Data<'a> {
    #[serde(borrow)]
    content: Option<Cow<'a, str>>,
}

impl Socket {
    pub(crate) async fn connect(server: SocketAddr) -> Result<Socket, LoadError> {
        let tcp = TcpStream::connect(server).await?;
        tcp.set_nodelay(true)?;
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(BUFFER_BYTES)
            .max_message_size(Some(MAX_FRAME_BYTES))
            .max_frame_size(Some(MAX_FRAME_BYTES));
        let (stream, _) = client_async_with_config(format!("ws://{server}/ws"), tcp, Some(config)).await?;
        Ok(Socket { stream })
    }

    pub(crate) async fn ask(&mut self, prompt: &str) -> Result<(), LoadError> {
        let number = ASKED.fetch_add(1, Ordering::Relaxed);
        let frame = serde_json::json!({
            "id": format!("load-{}-{number}", std::process::id()),
            "type": "chat.send_message",
            "data": { "message": prompt, "streaming": true },
        });
        self.stream.send(Message::text(frame.to_string())).await?;
        Ok(())
    }

    pub(crate) async fn next(&mut self) -> Result<Step, LoadError> {
        loop {
            if let Message::Text(text) = self.message().await?
                && let Some(step) = step(&text)?
            {
                return Ok(step);
            }
        }
    }

    /// Answers pings until the server closes the socket.
    pub(crate) async fn idle(mut self) -> Result<(), LoadError> {
        loop {
            self.message().await?;
        }
    }

    async fn message(&mut self) -> Result<Message, LoadError> {
        match self.stream.next().await.ok_or(LoadError::Closed)?? {
            Message::Close(_) => Err(LoadError::Closed),
            Message::Ping(_) => {
                self.stream.flush().await?;
                Ok(Message::Ping(Default::default()))
            }
            message => Ok(message),
        }
    }
}

fn step(text: &str) -> Result<Option<Step>, LoadError> {
    let frame: Frame<'_> = serde_json::from_str(text)?;
    Ok(match &*frame.kind {
        "chat.message_stream" => Some(Step::Text(frame.data.content.unwrap_or_default().into_owned())),
        "chat.message_complete" => Some(Step::End),
        "chat.error" => return Err(LoadError::Refused(text.to_owned())),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_and_the_end_are_steps_of_an_answer() {
        let text = r#"{"id":"a","type":"chat.message_stream","data":{"sessionId":"s","content":" w \"q\"\n","seq":3}}"#;
        assert_eq!(step(text).unwrap(), Some(Step::Text(" w \"q\"\n".to_owned())));
        assert_eq!(step(r#"{"id":"a","type":"chat.status","data":{"state":"queued"}}"#).unwrap(), None);
        assert_eq!(step(r#"{"id":"a","type":"chat.message_complete","data":{}}"#).unwrap(), Some(Step::End));
    }

    #[test]
    fn an_error_frame_fails_the_run() {
        let refused = step(r#"{"id":"a","type":"chat.error","data":{"code":"rate_limited","message":"Slow down"}}"#);
        assert!(matches!(refused, Err(LoadError::Refused(text)) if text.contains("rate_limited")));
    }
}
