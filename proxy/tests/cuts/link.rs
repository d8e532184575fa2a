//! The socket of a page.

use std::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{Sink, Stream};
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

/// The code of a socket that ended without one.
const LOST: u16 = 1006;

type WebSocket = WebSocketStream<TcpStream>;

pub(crate) enum Link {
    None,
    Opening(Pin<Box<dyn Future<Output = Option<WebSocket>> + Send>>),
    Open(Box<WebSocket>),
}

pub(crate) enum Happened {
    Opened,
    Frame(String),
    Closed(u16),
    Due,
}

impl Link {
    pub(crate) fn open(proxy: SocketAddr) -> Self {
        Self::Opening(Box::pin(async move {
            let stream = TcpStream::connect(proxy).await.ok()?;
            stream.set_nodelay(true).ok()?;
            Some(client_async(format!("ws://{proxy}/ws"), stream).await.ok()?.0)
        }))
    }

    /// Sends what is in `outbox` and waits for what happens.
    pub(crate) fn poll(&mut self, outbox: &mut Vec<String>, cx: &mut Context<'_>) -> Poll<Happened> {
        match self {
            Link::None => Poll::Pending,
            Link::Opening(opening) => opening.as_mut().poll(cx).map(|socket| match socket {
                None => Happened::Closed(LOST),
                Some(socket) => {
                    *self = Link::Open(Box::new(socket));
                    Happened::Opened
                }
            }),
            Link::Open(socket) => {
                let mut socket = Pin::new(socket.as_mut());
                while !outbox.is_empty() {
                    match socket.as_mut().poll_ready(cx) {
                        Poll::Pending => break,
                        Poll::Ready(Err(_)) => return Poll::Ready(Happened::Closed(LOST)),
                        Poll::Ready(Ok(())) => {
                            if socket.as_mut().start_send(Message::text(outbox.remove(0))).is_err() {
                                return Poll::Ready(Happened::Closed(LOST));
                            }
                        }
                    }
                }
                if let Poll::Ready(Err(_)) = socket.as_mut().poll_flush(cx) {
                    return Poll::Ready(Happened::Closed(LOST));
                }
                loop {
                    match socket.as_mut().poll_next(cx) {
                        Poll::Pending => return Poll::Pending,
                        Poll::Ready(Some(Ok(Message::Text(text)))) => {
                            return Poll::Ready(Happened::Frame(text.to_string()));
                        }
                        Poll::Ready(Some(Ok(Message::Ping(_)))) => {}
                        Poll::Ready(Some(Ok(Message::Close(Some(close))))) => {
                            return Poll::Ready(Happened::Closed(close.code.into()));
                        }
                        Poll::Ready(_) => return Poll::Ready(Happened::Closed(LOST)),
                    }
                }
            }
        }
    }
}
