//! Writing frames.

use std::io::Write;

use crate::{MessageId, RequestId, SessionId, client::ClientFrame, server::ServerFrame};

/// The text of a frame to a proxy.
pub fn encode_client(frame: &ClientFrame) -> String {
    encode(frame.id.as_str(), frame.message.type_text(), |out| frame.message.write_data(out))
}

/// The text of a frame to a client.
pub fn encode_server(frame: &ServerFrame) -> String {
    let id = frame.id.as_ref().map_or("", RequestId::as_str);
    encode(id, frame.message.type_text(), |out| frame.message.write_data(out))
}

#[expect(
    clippy::expect_used,
    reason = "no type of this crate has a map with keys that are no strings, and a Vec takes all bytes"
)]
fn encode(id: &str, kind: &str, data: impl FnOnce(&mut Vec<u8>) -> serde_json::Result<()>) -> String {
    let mut out = Vec::with_capacity(256);
    let written = head(&mut out, id, kind).and_then(|()| data(&mut out));
    written.expect("a frame can be written as JSON");
    out.push(b'}');
    String::from_utf8(out).expect("JSON is UTF-8")
}

fn head(out: &mut Vec<u8>, id: &str, kind: &str) -> serde_json::Result<()> {
    out.extend_from_slice(b"{\"id\":");
    serde_json::to_writer(&mut *out, id)?;
    out.extend_from_slice(b",\"type\":\"");
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(b"\",\"data\":");
    Ok(())
}

/// What a [`StreamEncoder`] writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamKind {
    /// `chat.message_stream`.
    Text,
    /// `chat.reasoning_stream`.
    Reasoning,
    /// `chat.tool_input_stream`.
    ToolInput,
}

/// Writes the frames of one answer. What all of them share is encoded once, since this runs for every token.
#[derive(Debug, Clone)]
pub struct StreamEncoder {
    text_head: Box<[u8]>,
    reasoning_head: Box<[u8]>,
    tool_input_head: Box<[u8]>,
}

impl StreamEncoder {
    /// An encoder for the answer `message_id`, asked for with the frame `id`.
    pub fn new(id: &RequestId, session_id: &SessionId, message_id: &MessageId) -> Self {
        let head = |kind| {
            let mut out = encode(id.as_str(), kind, |_| Ok(())).into_bytes();
            out.pop();
            // The alphabet of both ids needs no escapes.
            out.extend_from_slice(
                format!("{{\"sessionId\":\"{session_id}\",\"messageId\":\"{message_id}\",\"part\":").as_bytes(),
            );
            out.into_boxed_slice()
        };
        Self {
            text_head: head("chat.message_stream"),
            reasoning_head: head("chat.reasoning_stream"),
            tool_input_head: head("chat.tool_input_stream"),
        }
    }

    /// The text of a frame with the events `first` to `seq`, joined in `content`.
    #[expect(clippy::expect_used, reason = "a Vec takes all bytes, a str is always JSON and JSON is UTF-8")]
    pub fn encode(&self, kind: StreamKind, part: u32, first: u64, seq: u64, content: &str) -> String {
        let head = match kind {
            StreamKind::Text => &self.text_head,
            StreamKind::Reasoning => &self.reasoning_head,
            StreamKind::ToolInput => &self.tool_input_head,
        };
        let mut out = Vec::with_capacity(head.len() + content.len() + content.len() / 8 + 64);
        out.extend_from_slice(head);
        write!(out, "{part},\"first\":{first},\"seq\":{seq},\"content\":").expect("written to memory");
        serde_json::to_writer(&mut out, content).expect("a string is JSON");
        out.extend_from_slice(b"}}");
        String::from_utf8(out).expect("JSON is UTF-8")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{MessageStream, ServerMessage};

    #[test]
    fn the_quick_encoder_writes_what_the_plain_one_writes() {
        let id = RequestId::new("req \"1\"").unwrap();
        let session_id = SessionId::new("s").unwrap();
        let message_id = MessageId::new("m").unwrap();
        let encoder = StreamEncoder::new(&id, &session_id, &message_id);
        for (kind, wrap) in [
            (StreamKind::Text, ServerMessage::MessageStream as fn(MessageStream) -> ServerMessage),
            (StreamKind::Reasoning, ServerMessage::ReasoningStream),
            (StreamKind::ToolInput, ServerMessage::ToolInputStream),
        ] {
            let content = "a\n\"b\" \u{1} ü😀".to_owned();
            let quick = encoder.encode(kind, 2, 7, 9, &content);
            let data = MessageStream {
                session_id: session_id.clone(),
                message_id: message_id.clone(),
                part: 2,
                first: 7,
                seq: 9,
                content,
            };
            let plain = encode_server(&ServerFrame { id: Some(id.clone()), message: wrap(data) });
            assert_eq!(quick, plain);
        }
    }
}
