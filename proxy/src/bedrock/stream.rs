//! A running `ConverseStream`: the SDK makes the call, the body is decoded here.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::BeforeDeserializationInterceptorContextMut},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{body::SdkBody, config_bag::ConfigBag};
use http_body_util::BodyExt;

use super::{Lease, Target, UpstreamError, UpstreamEvent, frame::FrameDecoder};

/// Takes the body of a successful response before the SDK's own decoder gets it.
///
/// The hook runs after signing, sending and retrying. A response with an error status keeps its body: the SDK reads errors.
#[derive(Debug, Clone, Default)]
pub(super) struct TakeBody(Arc<Mutex<Option<SdkBody>>>);

impl TakeBody {
    pub(super) fn take(&self) -> Result<SdkBody, UpstreamError> {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        body.take().ok_or_else(|| UpstreamError::broken_stream("a response without a body"))
    }
}

impl Intercept for TakeBody {
    fn name(&self) -> &'static str {
        "TakeBody"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        if response.status().is_success() {
            let body = std::mem::replace(response.body_mut(), SdkBody::empty());
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
        Ok(())
    }
}

/// The events of an answer that is being made. Dropped, it closes the connection upstream.
#[derive(Debug)]
pub struct EventStream {
    body: SdkBody,
    decoder: FrameDecoder,
    _lease: Lease,
}

impl EventStream {
    pub(super) fn new(body: SdkBody, lease: Lease) -> Self {
        Self { body, decoder: FrameDecoder::default(), _lease: lease }
    }

    /// Waits for bytes from Bedrock. `false` at the end of the body, which alone is no success.
    ///
    /// Cancel safe: nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// A connection that broke.
    pub async fn read(&mut self) -> Result<bool, UpstreamError> {
        loop {
            match Pin::new(&mut self.body).frame().await {
                None if self.decoder.has_rest() => {
                    return Err(UpstreamError::broken_stream("the stream ended within a frame"));
                }
                None => return Ok(false),
                Some(Err(error)) => return Err(UpstreamError::broken_stream(&error.to_string())),
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        self.decoder.push(&bytes);
                        return Ok(true);
                    }
                }
            }
        }
    }

    /// Gives every event that has arrived to `take`.
    ///
    /// # Errors
    /// An exception in the stream, or bytes that are no event stream; what came before was given.
    pub fn drain(
        &mut self,
        target: Target<'_>,
        mut take: impl FnMut(UpstreamEvent<'_>) -> Result<(), UpstreamError>,
    ) -> Result<(), UpstreamError> {
        loop {
            match self.decoder.next_frame() {
                Ok(Some(frame)) => take(UpstreamEvent::read(&frame, target)?)?,
                Ok(None) => return Ok(()),
                Err(error) => return Err(UpstreamError::broken_stream(&error.to_string())),
            }
        }
    }
}
