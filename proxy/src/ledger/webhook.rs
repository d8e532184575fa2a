//! Alerts as POST requests to an address of one's choice.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, StatusCode, Uri, header};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tracing::{debug, warn};

use super::alerts::Alert;
use crate::https::{AddressError, HttpClient, client_for};

/// How many alerts wait to be sent; when there are so many, the newest is dropped.
pub const MAX_WAITING: usize = 100;

/// How often an alert is sent until it is taken.
pub const MAX_ATTEMPTS: usize = 3;

/// How long the address may take to answer.
pub const TIMEOUT: Duration = Duration::from_secs(5);

/// The wait before the second attempt; it doubles.
pub const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Why an alert was not taken.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error("no answer within {} s", TIMEOUT.as_secs())]
    Timeout,
    #[error("{0}")]
    Connection(hyper_util::client::legacy::Error),
    #[error("it answers {0}")]
    Status(StatusCode),
}

impl NotTaken {
    /// Whether it may be taken another time.
    fn is_passing(&self) -> bool {
        match self {
            Self::Timeout | Self::Connection(_) => true,
            Self::Status(status) => {
                status.is_server_error()
                    || matches!(*status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
            }
        }
    }
}

/// Sends alerts, one after the other, in a task of its own.
#[derive(Debug)]
pub struct Webhook {
    waiting: mpsc::Sender<Alert>,
    sending: JoinHandle<()>,
}

impl Webhook {
    /// Sends to `url`.
    ///
    /// # Errors
    /// `AddressError` where it cannot be asked.
    pub fn new(url: &str) -> Result<Self, AddressError> {
        Self::waiting(url, FIRST_WAIT)
    }

    /// The same with another wait before the second attempt.
    fn waiting(url: &str, first_wait: Duration) -> Result<Self, AddressError> {
        let (address, client) = client_for(url)?;
        let (waiting, mut alerts) = mpsc::channel(MAX_WAITING);
        let sending = tokio::spawn(async move {
            while let Some(alert) = alerts.recv().await {
                send(&client, &address, first_wait, &alert).await;
            }
        });
        Ok(Self { waiting, sending })
    }

    /// Has `alert` sent when those before it are.
    pub fn tell(&self, alert: Alert) {
        if let Err(error) = self.waiting.try_send(alert) {
            warn!(%error, "an alert is not sent to the webhook");
        }
    }

    /// Waits until all that waits is sent.
    pub async fn finish(self) {
        drop(self.waiting);
        if let Err(error) = self.sending.await {
            warn!(%error, "alerts were not sent to the webhook");
        }
    }
}

async fn send(client: &HttpClient, address: &Uri, first_wait: Duration, alert: &Alert) {
    let body = Bytes::from(serde_json::json!(alert).to_string());
    let waits = ExponentialBuilder::new().with_min_delay(first_wait).with_max_times(MAX_ATTEMPTS - 1);
    let sent = (|| attempt(client, address, body.clone()))
        .retry(waits)
        .sleep(sleep)
        .when(NotTaken::is_passing)
        .notify(|error: &NotTaken, wait| debug!(%error, ?wait, "an alert is sent again"))
        .await;
    if let Err(error) = sent {
        warn!(%error, "the webhook did not take an alert");
    }
}

async fn attempt(client: &HttpClient, address: &Uri, body: Bytes) -> Result<(), NotTaken> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = address.clone();
    let json = header::HeaderValue::from_static("application/json");
    request.headers_mut().insert(header::CONTENT_TYPE, json);
    let response = timeout(TIMEOUT, client.request(request)).await.map_err(|_| NotTaken::Timeout)?;
    match response.map_err(NotTaken::Connection)?.status() {
        status if status.is_success() => Ok(()),
        status => Err(NotTaken::Status(status)),
    }
}

#[cfg(test)]
mod tests;
