//! `ConverseStream` without an SDK: the least that an answer takes where no proxy is in between.

use std::net::SocketAddr;

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::error::{LoadError, unexpected};
use crate::source::Step;

/// Prelude of an event-stream frame: its length, its headers' length, and their checksum.
const PRELUDE_BYTES: usize = 12;
/// Checksum at the end of a frame.
const TRAILER_BYTES: usize = 4;
/// The longest frame that is believed; a longer one means that the stream is not understood.
const MAX_FRAME_BYTES: usize = 1024 * 1024;

/// A kept-alive connection with at most one answer under way.
pub(crate) struct Bedrock {
    sender: http1::SendRequest<Full<Bytes>>,
    connection: JoinHandle<Result<(), hyper::Error>>,
    host: String,
    path: String,
    authorization: String,
    body: Option<Incoming>,
    buffer: BytesMut,
}

impl Drop for Bedrock {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Bedrock {
    pub(crate) async fn connect(address: SocketAddr, model: &str, api_key: &str) -> Result<Bedrock, LoadError> {
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(tcp)).await?;
        Ok(Bedrock {
            sender,
            connection: tokio::spawn(connection),
            host: address.to_string(),
            path: format!("/model/{}/converse-stream", model.replace(':', "%3A")),
            authorization: format!("Bearer {api_key}"),
            body: None,
            buffer: BytesMut::new(),
        })
    }

    pub(crate) async fn ask(&mut self, prompt: &str) -> Result<(), LoadError> {
        let body = serde_json::json!({
            "messages": [{ "role": "user", "content": [{ "text": prompt }] }],
            "inferenceConfig": { "maxTokens": 4096 },
        });
        let request = Request::post(&self.path)
            .header("host", &self.host)
            .header("authorization", &self.authorization)
            .header("content-type", "application/json")
            .body(Full::from(body.to_string()))
            .map_err(|error| unexpected(error.to_string()))?;
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        if status != StatusCode::OK {
            let body = response.into_body().collect().await?.to_bytes();
            return Err(LoadError::Refused(format!("{status}: {}", String::from_utf8_lossy(&body))));
        }
        self.buffer.clear();
        self.body = Some(response.into_body());
        Ok(())
    }

    pub(crate) async fn next(&mut self) -> Result<Step, LoadError> {
        loop {
            while let Some(frame) = frame(&mut self.buffer)? {
                if let Some(text) = text(&frame)? {
                    return Ok(Step::Text(text));
                }
            }
            let body = self.body.as_mut().ok_or_else(|| unexpected("nothing was asked"))?;
            match body.frame().await {
                None => {
                    self.body = None;
                    return if self.buffer.is_empty() { Ok(Step::End) } else { Err(LoadError::Closed) };
                }
                Some(chunk) => {
                    if let Ok(data) = chunk?.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
            }
        }
    }
}

/// Takes the payload of the next whole frame. Its checksums are the business of the clients under test.
fn frame(buffer: &mut BytesMut) -> Result<Option<Bytes>, LoadError> {
    if buffer.len() < PRELUDE_BYTES {
        return Ok(None);
    }
    let total = u32::from_be_bytes([buffer[0], buffer[1], buffer[2], buffer[3]]) as usize;
    let headers = u32::from_be_bytes([buffer[4], buffer[5], buffer[6], buffer[7]]) as usize;
    let overhead = headers.saturating_add(PRELUDE_BYTES + TRAILER_BYTES);
    if total > MAX_FRAME_BYTES || total < overhead {
        return Err(unexpected(format!("a frame of {total} bytes with {headers} bytes of headers")));
    }
    if buffer.len() < total {
        return Ok(None);
    }
    let mut frame = buffer.split_to(total).freeze();
    frame.advance(PRELUDE_BYTES + headers);
    frame.truncate(total - overhead);
    Ok(Some(frame))
}

fn text(payload: &[u8]) -> Result<Option<String>, LoadError> {
    #[derive(Deserialize)]
    struct Payload {
        delta: Option<Delta>,
    }
    #[derive(Deserialize)]
    struct Delta {
        text: Option<String>,
    }
    let payload: Payload = serde_json::from_slice(payload)?;
    Ok(payload.delta.and_then(|delta| delta.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(headers: &[u8], payload: &[u8]) -> Vec<u8> {
        let total = (PRELUDE_BYTES + headers.len() + payload.len() + TRAILER_BYTES) as u32;
        let mut bytes = total.to_be_bytes().to_vec();
        bytes.extend((headers.len() as u32).to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(headers);
        bytes.extend(payload);
        bytes.extend([0; TRAILER_BYTES]);
        bytes
    }

    #[test]
    fn frames_are_found_at_every_split_position() {
        let payload = br#"{"contentBlockIndex":0,"delta":{"text":" word"},"p":"abc"}"#;
        let bytes = [encoded(b"h", payload), encoded(b"hh", br#"{"role":"assistant"}"#)].concat();
        for split in 0..=bytes.len() {
            let mut buffer = BytesMut::new();
            let mut texts = Vec::new();
            for part in [&bytes[..split], &bytes[split..]] {
                buffer.extend_from_slice(part);
                while let Some(frame) = frame(&mut buffer).unwrap() {
                    texts.push(text(&frame).unwrap());
                }
            }
            assert_eq!(texts, [Some(" word".to_owned()), None], "split at {split}");
            assert!(buffer.is_empty());
        }
    }

    #[test]
    fn lengths_that_cannot_be_are_refused() {
        let mut short = BytesMut::from(&[0, 0, 0, 13, 0, 0, 0, 9, 0, 0, 0, 0, 0][..]);
        assert!(frame(&mut short).is_err());
        let mut long = BytesMut::from(&[0xff; 16][..]);
        assert!(frame(&mut long).is_err());
    }
}
