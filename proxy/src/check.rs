//! `outcrop-proxy check`: is everything right for Bedrock, and what to do if not.

use std::future::poll_fn;

use crate::{
    bedrock::{
        Bedrock, ConverseRequest, Upstream as _, UpstreamError, UpstreamEvent,
        connect::{ConnectError, Found, Options, connect, find},
    },
    conversation::Turn,
    settings::Upstream,
};
use protocol::{Catalog, Role};

/// Checks, printing a line for each thing; `true` where all is right.
pub async fn check(upstream: &Upstream) -> bool {
    let options = Options { endpoint_url: upstream.endpoint_url.clone(), fixed: None };
    let found = match find(&options).await {
        Ok(found) => found,
        Err(error) => {
            let what = match error {
                ConnectError::Credentials(_) => "credentials",
                ConnectError::Region => "region",
                ConnectError::Certificates => "certificates",
            };
            return line(false, what, &error.to_string());
        }
    };
    line(true, "credentials", &found.identity);
    line(true, "region", &found.region);
    let Ok(bedrock) = connect(&found, &options).map_err(|error| line(false, "certificates", &error.to_string())) else {
        return false;
    };
    let bedrock = bedrock.guarded(upstream.guarding.guardrail());
    match Catalog::builtin().find(&upstream.model) {
        Some(model) if model.price.is_some() => line(true, "model", &format!("{}, price known", upstream.model)),
        _ => line(
            true,
            "model",
            &format!("{}, not in the price table: its cost will be shown as unknown", upstream.model),
        ),
    };
    let whole = call(&found, "bedrock:InvokeModel", converse(&bedrock, &upstream.model).await);
    let streamed = call(&found, "bedrock:InvokeModelWithResponseStream", stream(&bedrock, &upstream.model).await);
    whole && streamed
}

fn call(found: &Found, permission: &str, result: Result<(), UpstreamError>) -> bool {
    match result {
        Ok(()) => line(true, permission, &format!("answered in {}", found.region)),
        Err(error) => {
            let detail = error.detail.clone();
            line(false, permission, &format!("{}\n    AWS said: {detail}", error.into_data().message))
        }
    }
}

fn line(right: bool, what: &str, text: &str) -> bool {
    let mark = if right { "ok  " } else { "FAIL" };
    println!("{mark} {what}: {text}");
    right
}

fn smallest(model: &str) -> ConverseRequest {
    ConverseRequest {
        model: model.to_owned(),
        turns: vec![Turn::saying(Role::User, "Say ok.")],
        max_tokens: 1,
        ..ConverseRequest::default()
    }
}

async fn converse(bedrock: &Bedrock, model: &str) -> Result<(), UpstreamError> {
    bedrock.converse(&smallest(model)).await.map(|_| ())
}

async fn stream(bedrock: &Bedrock, model: &str) -> Result<(), UpstreamError> {
    let request = smallest(model);
    let mut stream = bedrock.converse_stream(&request).await?;
    let mut whole = false;
    while poll_fn(|cx| stream.poll_read(cx)).await? {
        stream.drain(request.target(bedrock.region()), &mut |event| {
            whole |= matches!(event, UpstreamEvent::Metadata(_));
            Ok(())
        })?;
    }
    if whole { Ok(()) } else { Err(UpstreamError::broken_stream("the stream ended without metadata")) }
}
