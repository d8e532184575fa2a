//! A running `ConverseStream`: the SDK makes the call, the body is decoded here.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::BeforeDeserializationInterceptorContextMut},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{body::SdkBody, config_bag::ConfigBag};
use hyper::body::Body;

use super::{EventSource, Lease, Target, UpstreamError, UpstreamEvent, frame::FrameDecoder, upstream::TakeEvent};

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
}

impl EventSource for EventStream {
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, UpstreamError>> {
        loop {
            return Poll::Ready(match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                None if self.decoder.has_rest() => Err(UpstreamError::broken_stream("the stream ended within a frame")),
                None => Ok(false),
                Some(Err(error)) => Err(UpstreamError::broken_stream(&error.to_string())),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => {
                        self.decoder.push(&bytes);
                        Ok(true)
                    }
                    Err(_) => continue,
                },
            });
        }
    }

    fn drain(&mut self, target: Target<'_>, take: &mut TakeEvent<'_>) -> Result<(), UpstreamError> {
        loop {
            match self.decoder.next_frame() {
                Ok(Some(frame)) => take(UpstreamEvent::read(&frame, target)?)?,
                Ok(None) => return Ok(()),
                Err(error) => return Err(UpstreamError::broken_stream(&error.to_string())),
            }
        }
    }
}
