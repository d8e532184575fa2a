//! A WebSocket client that checks the rules of the protocol in everything it receives.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use protocol::limits::MAX_CONTENT_BYTES;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest, handshake::client::Response, http::HeaderValue, protocol::Role},
};

use super::within;

/// What stands for a close frame without a code (RFC 6455, section 7.1.5).
pub(crate) const NO_CODE: u16 = 1005;

/// One frame of the protocol.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) data: Value,
}

impl Frame {
    fn read(text: &str) -> Self {
        let value: Value = serde_json::from_str(text).expect("a frame is JSON");
        let object = value.as_object().expect("a frame is an object");
        assert_eq!(object.keys().map(String::as_str).collect::<Vec<_>>(), ["data", "id", "type"], "{text}");
        let field = |name: &str| object[name].as_str().expect(name).to_owned();
        assert!(object["data"].is_object(), "{text}");
        Self { id: field("id"), kind: field("type"), data: object["data"].clone() }
    }

    pub(crate) fn str(&self, field: &str) -> &str {
        self.data[field].as_str().unwrap_or_else(|| panic!("no {field} in {self:?}"))
    }

    pub(crate) fn seq(&self) -> u64 {
        self.data["seq"].as_u64().unwrap_or_else(|| panic!("no seq in {self:?}"))
    }

    fn is_event(&self) -> bool {
        matches!(
            self.kind.as_str(),
            "chat.message_stream" | "chat.reasoning_stream" | "chat.tool_input_stream" | "chat.tool_use"
        )
    }
}

/// What came next.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Heard {
    Frame(Frame),
    Ping,
    Closed(u16, String),
    Gone,
}

/// An answer from its first event on, every rule of `seq` checked.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) frames: Vec<Frame>,
    /// The text of its `chat.message_stream` frames.
    pub(crate) text: String,
    pub(crate) reasoning: String,
    /// `chat.message_complete` or `chat.error`.
    pub(crate) end: Frame,
}

impl Answer {
    pub(crate) fn message_id(&self) -> &str {
        self.end.str("messageId")
    }

    /// That the answer failed with `code`, and what it tells the person.
    pub(crate) fn error(&self, code: &str) -> &str {
        assert_eq!((self.end.kind.as_str(), self.end.str("code")), ("chat.error", code), "{:?}", self.end);
        self.end.str("message")
    }
}

/// A client.
pub(crate) struct Client<S = TcpStream> {
    ws: WebSocketStream<S>,
}

impl Client {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        Self::connect_to(addr, "/", None).await.0
    }

    /// On `path`, offering these subprotocols; and what the proxy said to it.
    pub(crate) async fn connect_to(addr: SocketAddr, path: &str, subprotocols: Option<&str>) -> (Self, Response) {
        let mut request = format!("ws://{addr}{path}").into_client_request().expect("a request");
        if let Some(offer) = subprotocols {
            let offer = HeaderValue::from_str(offer).expect("a header");
            request.headers_mut().insert("sec-websocket-protocol", offer);
        }
        let stream = TcpStream::connect(addr).await.expect("a connection");
        let (ws, response) = within("handshake", client_async(request, stream)).await.expect("a handshake");
        (Self { ws }, response)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Over a stream that is to become a WebSocket.
    pub(crate) async fn upgraded(stream: S, url: &str) -> Self {
        Self { ws: within("handshake", client_async(url, stream)).await.expect("a handshake").0 }
    }

    /// Over a stream that needs no handshake.
    pub(crate) async fn over(stream: S) -> Self {
        Self { ws: WebSocketStream::from_raw_socket(stream, Role::Client, None).await }
    }

    pub(crate) async fn send(&mut self, id: &str, kind: &str, data: Value) {
        self.send_raw(Message::text(json!({ "id": id, "type": kind, "data": data }).to_string())).await;
    }

    pub(crate) async fn send_raw(&mut self, message: Message) {
        within("room to send", self.ws.send(message)).await.expect("an open socket");
    }

    /// Sends requests, each an id, a type and data, in one write.
    pub(crate) async fn send_together(&mut self, requests: [(&str, &str, Value); 2]) {
        for (id, kind, data) in requests {
            let text = json!({ "id": id, "type": kind, "data": data }).to_string();
            within("room to send", self.ws.feed(Message::text(text))).await.expect("an open socket");
        }
        within("room to send", self.ws.flush()).await.expect("an open socket");
    }

    pub(crate) async fn send_message(&mut self, id: &str, session: &str, message: &str, streaming: bool) {
        self.send(id, "chat.send_message", json!({ "sessionId": session, "message": message, "streaming": streaming }))
            .await;
    }

    /// What comes next, whatever it is.
    pub(crate) async fn hear(&mut self) -> Heard {
        match within("word from the proxy", self.ws.next()).await {
            Some(Ok(Message::Text(text))) => Heard::Frame(Frame::read(&text)),
            Some(Ok(Message::Ping(_))) => Heard::Ping,
            Some(Ok(Message::Close(Some(close)))) => Heard::Closed(close.code.into(), close.reason.to_string()),
            Some(Ok(Message::Close(None))) => Heard::Closed(NO_CODE, String::new()),
            Some(Ok(other)) => panic!("the proxy sent {other:?}"),
            Some(Err(_)) | None => Heard::Gone,
        }
    }

    /// The next frame. Pings are answered.
    pub(crate) async fn frame(&mut self) -> Frame {
        loop {
            match self.hear().await {
                Heard::Frame(frame) => return frame,
                Heard::Ping => {}
                other => panic!("a frame was expected: {other:?}"),
            }
        }
    }

    /// The code with which the proxy closes the socket next.
    pub(crate) async fn close_code(&mut self) -> u16 {
        match self.hear().await {
            Heard::Closed(code, _) => code,
            other => panic!("a close was expected: {other:?}"),
        }
    }

    /// Sends a request and returns the one frame that answers it: its data, or the code and text of an error.
    pub(crate) async fn ask(&mut self, id: &str, kind: &str, data: Value) -> Result<Value, (String, String)> {
        self.send(id, kind, data).await;
        let frame = self.frame().await;
        assert_eq!(frame.id, id);
        match frame.kind.as_str() {
            "chat.error" => Err((frame.str("code").to_owned(), frame.str("message").to_owned())),
            _ => Ok(frame.data),
        }
    }

    /// The history of a session.
    pub(crate) async fn history(&mut self, session: &str) -> Value {
        self.ask("history", "chat.get_history", json!({ "sessionId": session })).await.expect("chat.history_response")
    }

    /// Sends a message and reads its streamed answer to the end.
    pub(crate) async fn chat(&mut self, id: &str, session: &str, message: &str) -> Answer {
        self.send_message(id, session, message, true).await;
        self.answer().await
    }

    /// Reads an answer from its first event to its end.
    pub(crate) async fn answer(&mut self) -> Answer {
        self.answer_after(0).await
    }

    /// Reads an answer from the event after number `after` to its end.
    pub(crate) async fn answer_after(&mut self, after: u64) -> Answer {
        self.read_answer(after, Vec::new()).await
    }

    /// The same where the first frames were read already.
    pub(crate) async fn rest_of_answer(&mut self, read: Vec<Frame>) -> Answer {
        self.read_answer(0, read).await
    }

    async fn read_answer(&mut self, after: u64, read: Vec<Frame>) -> Answer {
        let mut frames = Vec::new();
        let mut read = read.into_iter();
        let (mut last, mut text, mut reasoning) = (after, String::new(), String::new());
        loop {
            let frame = match read.next() {
                Some(frame) => frame,
                None => self.frame().await,
            };
            if frame.kind == "chat.status" {
                continue;
            }
            let end = matches!(frame.kind.as_str(), "chat.message_complete" | "chat.error");
            assert!(end || frame.is_event(), "not of an answer: {frame:?}");
            frames.push(frame.clone());
            if end {
                if let Some(seq) = frame.data["seq"].as_u64() {
                    assert_eq!(seq, last + 1, "{frame:?}");
                }
                return Answer { frames, text, reasoning, end: frame };
            }
            if frame.kind == "chat.tool_use" {
                assert_eq!(frame.seq(), last + 1, "{frame:?}");
                last += 1;
                continue;
            }
            let content = frame.str("content");
            assert!((1..=MAX_CONTENT_BYTES).contains(&content.len()), "{} bytes in a frame", content.len());
            assert_eq!(frame.data["first"].as_u64(), Some(last + 1), "{frame:?}");
            last = frame.seq();
            match frame.kind.as_str() {
                "chat.message_stream" => text.push_str(content),
                "chat.reasoning_stream" => reasoning.push_str(content),
                _ => {}
            }
        }
    }
}
