//! Bodies, bounded: a whole one, or a stream of events.

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, future, stream::BoxStream};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use rmcp::transport::streamable_http_client::SseError;
use sse_stream::{Sse, SseStream};

use super::{HttpError, MAX_MESSAGE_BYTES, last_of};

/// A whole body of at most [`MAX_MESSAGE_BYTES`].
pub(super) async fn whole(body: Incoming) -> Result<Bytes, HttpError> {
    match Limited::new(body, MAX_MESSAGE_BYTES).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(HttpError::TooLarge),
        Err(error) => Err(HttpError::Broken(last_of(&*error))),
    }
}

/// The events of a body, of at most [`MAX_MESSAGE_BYTES`] each.
pub(super) fn events(body: Incoming) -> BoxStream<'static, Result<Sse, SseError>> {
    let chunks = body.into_data_stream().map(|chunk| chunk.map_err(|error| HttpError::Broken(last_of(&error))));
    SseStream::from_bytes_stream(bounded(chunks, MAX_MESSAGE_BYTES)).boxed()
}

/// `chunks` until an event is larger than `limit`: more than that without a blank line.
fn bounded(
    chunks: impl Stream<Item = Result<Bytes, HttpError>> + Send + 'static,
    limit: usize,
) -> impl Stream<Item = Result<Bytes, HttpError>> + Send + 'static {
    let mut event = 0;
    let mut line_is_empty = true;
    let checked = chunks.map(move |chunk| {
        let chunk = chunk?;
        for byte in &chunk {
            event += 1;
            match byte {
                b'\n' | b'\r' if line_is_empty => event = 0,
                b'\n' => line_is_empty = true,
                b'\r' => {}
                _ => line_is_empty = false,
            }
            if event > limit {
                return Err(HttpError::TooLarge);
            }
        }
        Ok(chunk)
    });
    // The stream ends with its first error.
    checked.scan(false, |has_failed, chunk| {
        let item = (!*has_failed).then_some(chunk);
        *has_failed = item.as_ref().is_some_and(Result::is_err);
        future::ready(item)
    })
}

/// The beginning of a body, for a hint of what is wrong; nothing of it is trusted.
pub(super) async fn beginning(mut body: Incoming, limit: usize) -> Bytes {
    let mut kept = BytesMut::new();
    while kept.len() < limit
        && let Some(Ok(frame)) = body.frame().await
    {
        if let Ok(data) = frame.into_data() {
            kept.extend_from_slice(&data[..data.len().min(limit - kept.len())]);
        }
    }
    kept.freeze()
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    async fn passes(chunks: &[&'static str]) -> bool {
        let chunks: Vec<_> = chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect();
        let items: Vec<_> = bounded(stream::iter(chunks), 10).collect().await;
        items.iter().all(Result::is_ok)
    }

    #[tokio::test]
    async fn an_event_is_bounded_however_it_is_split() {
        assert!(passes(&["data: 1\n\ndata: 2\n\ndata: 3\n\n"]).await);
        assert!(passes(&["data: 1\n", "\nda", "ta: 2\r\n\r\ndata: 3\n\n"]).await);
        assert!(!passes(&["data: 12345678\n\n"]).await);
        assert!(!passes(&["data: 1\n", "data: 2\n"]).await);
        assert!(!passes(&["data: 1", "23", "45"]).await);
    }
}
