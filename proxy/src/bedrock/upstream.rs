//! What a turn asks of Bedrock, apart from how that is done: the seam at which a test plays Bedrock on virtual time.

use std::{
    fmt,
    task::{Context, Poll},
};

use async_trait::async_trait;

use super::{ConverseRequest, Target, UpstreamError, UpstreamEvent, WholeAnswer};

/// Takes an event; an error ends the stream.
pub type TakeEvent<'a> = dyn FnMut(UpstreamEvent<'_>) -> Result<(), UpstreamError> + 'a;

/// A service that answers conversations. Each call is one request: whoever calls decides whether to try again.
#[async_trait]
pub trait Upstream: fmt::Debug + Send + Sync {
    /// The AWS region calls go to.
    fn region(&self) -> &str;

    /// Asks for an answer as it is made.
    ///
    /// # Errors
    /// What came instead of a stream.
    async fn converse_stream(&self, request: &ConverseRequest) -> Result<Box<dyn EventSource>, UpstreamError>;

    /// Asks for a whole answer.
    ///
    /// # Errors
    /// What came instead of an answer.
    async fn converse(&self, request: &ConverseRequest) -> Result<WholeAnswer, UpstreamError>;
}

/// The events of an answer that is being made. Dropped, it closes the connection upstream.
pub trait EventSource: Send {
    /// Waits for bytes from Bedrock. `false` at the end of the body, which alone is no success. Nothing is lost when a caller stops
    /// asking.
    ///
    /// # Errors
    /// A connection that broke.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, UpstreamError>>;

    /// Gives every event that has arrived to `take`.
    ///
    /// # Errors
    /// An exception in the stream, or bytes that are no event stream; what came before was given.
    fn drain(&mut self, target: Target<'_>, take: &mut TakeEvent<'_>) -> Result<(), UpstreamError>;
}
