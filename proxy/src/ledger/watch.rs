//! Looks at what was settled, off the way of answers: counts it, and raises alerts.

use std::sync::Arc;

use protocol::Timestamp;
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{
    alerts::{Alert, Heights},
    metrics::Metrics,
    unusual::{LOOK_AGAIN_INTERVAL, Unusual},
    webhook::Webhook,
};
use crate::store::{Call, Store, StoreError};

/// How many settled answers may wait to be looked at. Those beyond are not counted, and raise no alert.
pub const MAX_WAITING: usize = 1_000;

/// How many of them are looked at together.
const MAX_TOGETHER: usize = 100;

/// Is told what was settled. It never waits.
#[derive(Debug, Clone, Default)]
pub struct Watch(Option<mpsc::Sender<Vec<Call>>>);

/// What a [`Watch`] is told.
pub type Settled = mpsc::Receiver<Vec<Call>>;

impl Watch {
    /// One whom somebody hears; [`Watch::default`] is heard by nobody.
    pub fn new() -> (Self, Settled) {
        let (sender, settled) = mpsc::channel(MAX_WAITING);
        (Self(Some(sender)), settled)
    }

    /// The calls of an answer are settled.
    pub fn settled(&self, calls: Vec<Call>) {
        let Some(sender) = self.0.as_ref().filter(|_| !calls.is_empty()) else { return };
        if let Err(mpsc::error::TrySendError::Full(calls)) = sender.try_send(calls) {
            warn!(
                calls = calls.len(),
                "too many settled answers wait: these calls are not counted, and raise no alert"
            );
        }
    }
}

/// Hears a [`Watch`].
#[derive(Debug)]
pub struct Watcher {
    /// What it is told.
    pub settled: Settled,
    /// The ledger.
    pub store: Arc<dyn Store>,
    /// What is unusual.
    pub unusual: Unusual,
    /// What of budgets is worth an alert.
    pub heights: Heights,
    /// Where metrics go, if anywhere.
    pub metrics: Option<Metrics>,
    /// Who is told of alerts besides the log.
    pub webhook: Option<Webhook>,
    /// The time of day.
    pub now: fn() -> Timestamp,
}

impl Watcher {
    /// Looks at what is settled until `stop`, then at what still waits, and waits until everybody is told.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut again = interval(LOOK_AGAIN_INTERVAL);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut answers = Vec::new();
        loop {
            tokio::select! {
                () = stop.cancelled(), if !self.settled.is_closed() => self.settled.close(),
                _ = again.tick() => {
                    let mut alerts = Vec::new();
                    let looked = self.unusual.look_again(self.store.as_ref(), &mut alerts).await;
                    self.raise(alerts, [looked]).await;
                }
                count = self.settled.recv_many(&mut answers, MAX_TOGETHER) => {
                    if count == 0 {
                        break;
                    }
                    let calls: Vec<_> = answers.drain(..).flatten().collect();
                    self.look_at(&calls).await;
                }
            }
        }
        if let Some(webhook) = self.webhook {
            webhook.finish().await;
        }
    }

    async fn look_at(&mut self, calls: &[Call]) {
        if let Some(metrics) = &mut self.metrics {
            metrics.count(calls, (self.now)()).await;
        }
        let store = self.store.as_ref();
        let mut alerts = Vec::new();
        let budgets = self.heights.look_at(store, calls, &mut alerts).await;
        let unusual = self.unusual.look_at(store, calls, &mut alerts).await;
        self.raise(alerts, [budgets, unusual]).await;
    }

    /// Tells everybody of alerts, and the log of what could not be looked at.
    async fn raise(&mut self, alerts: Vec<Alert>, looked: impl IntoIterator<Item = Result<(), StoreError>>) {
        for error in looked.into_iter().filter_map(Result::err) {
            warn!(%error, "whether there is more to alert of cannot be told");
        }
        for alert in alerts {
            alert.log();
            if let Some(metrics) = &mut self.metrics {
                metrics.alert(&alert, (self.now)()).await;
            }
            if let Some(webhook) = &self.webhook {
                webhook.tell(alert);
            }
        }
    }
}

#[cfg(test)]
mod tests;
