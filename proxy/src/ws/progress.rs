//! Whether bytes move.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

/// What a socket is made of.
pub trait Transport: AsyncRead + AsyncWrite + Unpin {
    /// The bytes that went on from buffers of its own; 0 where it has none.
    fn sent(&self) -> u64 {
        0
    }
}

impl Transport for DuplexStream {}

/// A stream that counts the bytes written to it, so that a peer that reads slowly can be told from one that does not read; and that
/// takes only so many bytes from a peer that nobody knows.
#[derive(Debug)]
pub(crate) struct Counted<S> {
    inner: S,
    written: u64,
    may_read: Option<usize>,
}

impl<S> Counted<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self { inner, written: 0, may_read: None }
    }

    /// From now on at most so many bytes are read: more are an error of the kind [`io::ErrorKind::QuotaExceeded`].
    pub(super) fn limit_reads(&mut self, bytes: Option<usize>) {
        self.may_read = bytes;
    }

    /// The bytes that were taken so far.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }
}

impl<S: Transport> Counted<S> {
    /// The bytes that have moved so far, here or further on.
    pub(super) fn moved(&self) -> u64 {
        self.written + self.inner.sent()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.may_read == Some(0) {
            return Poll::Ready(Err(io::ErrorKind::QuotaExceeded.into()));
        }
        let before = buf.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(cx, buf);
        if let Some(left) = &mut self.may_read {
            *left = left.saturating_sub(buf.filled().len() - before);
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(cx, buf);
        if let Poll::Ready(Ok(written)) = result {
            self.written += written as u64;
        }
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        if let Poll::Ready(Ok(written)) = result {
            self.written += written as u64;
        }
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
