//! Bytes by hand, for what no proper client sends.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use super::within;

const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

/// The first byte of a frame: FIN, reserved bits, opcode (RFC 6455, section 5.2).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opcode(pub(crate) u8);

impl Opcode {
    pub(crate) const CONTINUATION: Self = Self(0x80);
    pub(crate) const TEXT: Self = Self(0x81);
    pub(crate) const BINARY: Self = Self(0x82);
    pub(crate) const CLOSE: Self = Self(0x88);
    pub(crate) const PING: Self = Self(0x89);

    /// The same as a part of a message that goes on.
    pub(crate) const fn unfinished(self) -> Self {
        Self(self.0 & 0x7f)
    }

    /// The same with these reserved bits, 1 to 7.
    pub(crate) const fn reserved(self, bits: u8) -> Self {
        Self(self.0 | bits << 4)
    }

    /// A masked frame.
    pub(crate) fn frame(self, payload: &[u8]) -> Vec<u8> {
        let mut frame = self.head(payload.len() as u64, true);
        frame.extend_from_slice(&MASK);
        frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    /// A frame without a mask, which no client may send.
    pub(crate) fn unmasked(self, payload: &[u8]) -> Vec<u8> {
        let mut frame = self.head(payload.len() as u64, false);
        frame.extend_from_slice(payload);
        frame
    }

    /// The head of a masked frame that says it has so many bytes, mask included.
    pub(crate) fn claim(self, bytes: u64) -> Vec<u8> {
        let mut head = self.head(bytes, true);
        head.extend_from_slice(&MASK);
        head
    }

    fn head(self, length: u64, masked: bool) -> Vec<u8> {
        let mask = if masked { 0x80 } else { 0 };
        let mut head = vec![self.0];
        match length {
            0..=125 => head.push(mask | length as u8),
            126..=0xffff => {
                head.push(mask | 126);
                head.extend_from_slice(&(length as u16).to_be_bytes());
            }
            _ => {
                head.push(mask | 127);
                head.extend_from_slice(&length.to_be_bytes());
            }
        }
        head
    }
}

/// A WebSocket made by hand.
pub(crate) struct RawSocket<S = TcpStream> {
    pub(crate) stream: S,
}

impl RawSocket {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        Self::shake_hands(TcpStream::connect(addr).await.expect("a connection"), addr, b"").await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> RawSocket<S> {
    /// Shakes hands over `stream`, with `early` bytes right behind the request.
    pub(crate) async fn shake_hands(mut stream: S, addr: SocketAddr, early: &[u8]) -> Self {
        let head = format!(
            "GET / HTTP/1.1\r\nhost: {addr}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), early].concat()).await.expect("written");
        let mut response = Vec::new();
        while !response.ends_with(b"\r\n\r\n") {
            response.push(within("response", stream.read_u8()).await.expect("a byte"));
        }
        let response = String::from_utf8(response).expect("text");
        assert!(response.starts_with("HTTP/1.1 101 "), "{response}");
        // The sample of RFC 6455, section 1.3.
        assert!(
            response.to_ascii_lowercase().contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="),
            "{response}"
        );
        Self { stream }
    }

    /// Writes, as far as the proxy lets it: one that has closed the socket resets it.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let _ = within("room to write", self.stream.write_all(bytes)).await;
    }

    /// The next frame: its opcode and payload; `None` at the end of the connection.
    pub(crate) async fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        within("a frame", async {
            let first = self.stream.read_u8().await.ok()?;
            let length = match self.stream.read_u8().await.ok()? {
                126 => u64::from(self.stream.read_u16().await.ok()?),
                127 => self.stream.read_u64().await.ok()?,
                short => u64::from(short),
            };
            let mut payload = vec![0; usize::try_from(length).expect("a length")];
            self.stream.read_exact(&mut payload).await.ok()?;
            Some((first & 0x0f, payload))
        })
        .await
    }

    /// The code of the close frame that ends the connection, other frames left out; `None` if it ends without one.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        while let Some((opcode, payload)) = self.read().await {
            if opcode == 8 {
                return payload.first_chunk().map(|code| u16::from_be_bytes(*code));
            }
        }
        None
    }
}

/// Sends a request by hand and returns all that comes back until the proxy closes.
pub(crate) async fn http(addr: SocketAddr, request: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(addr).await.expect("a connection");
    stream.write_all(request.as_ref()).await.expect("written");
    let mut response = Vec::new();
    let _ = within("response", stream.read_to_end(&mut response)).await;
    String::from_utf8_lossy(&response).into_owned()
}

/// The head of the response to a request, whatever becomes of the connection after it.
pub(crate) async fn head(addr: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within("head", stream.read_u8()).await.expect("a head"));
    }
    String::from_utf8(head).expect("UTF-8")
}
