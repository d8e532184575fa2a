//! Looks at what was settled, off the way of answers: counts it, and raises alerts.

use std::{sync::Arc, time::Duration};

use protocol::{Timestamp, ToolUse};
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
use crate::{
    observe::{Caller, Observe},
    store::{Call, Store, StoreError},
    turn::{Turn, log::End},
};

/// How many settled answers may wait to be looked at. Those beyond are not counted, and raise no alert.
pub const MAX_WAITING: usize = 1_000;

/// How many of them are looked at together.
const MAX_TOGETHER: usize = 100;

/// Is told what was settled. It never waits.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    sender: Option<mpsc::Sender<Vec<Call>>>,
    observe: Observe,
}

/// What a [`Watch`] is told.
pub type Settled = mpsc::Receiver<Vec<Call>>;

impl Watch {
    /// One whom somebody hears, besides `observe`; [`Watch::default`] is heard by nobody.
    pub fn new(observe: Observe) -> (Self, Settled) {
        let (sender, settled) = mpsc::channel(MAX_WAITING);
        (Self { sender: Some(sender), observe }, settled)
    }

    /// The calls of an answer are settled, which `caller` asked for and which has this text.
    pub fn settled(&self, caller: Option<&Caller>, calls: Vec<Call>, answer: Option<&str>) {
        // Not by way of the queue: what is lost there is missed by alerts only.
        self.observe.calls(caller, &calls, answer);
        let Some(sender) = self.sender.as_ref().filter(|_| !calls.is_empty()) else { return };
        if let Err(mpsc::error::TrySendError::Full(calls)) = sender.try_send(calls) {
            warn!(
                calls = calls.len(),
                "too many settled answers wait: these calls are not counted, and raise no alert"
            );
        }
    }

    /// Calls were made that could not be settled.
    pub fn unsettled(&self, caller: Option<&Caller>, calls: &[Call]) {
        self.observe.unsettled(caller, calls);
    }

    /// A turn has ended; `is_refused` where no model was asked.
    pub fn turn_ended(&self, turn: &Turn, end: &End, took: Duration, is_refused: bool) {
        self.observe.turn_ended(turn, end, took, is_refused);
    }

    /// The call of a tool has ended.
    pub fn tool_called(&self, turn: &Turn, call: &ToolUse) {
        self.observe.tool_called(turn, call);
    }

    /// Whether anybody wants to have the text of answers.
    pub fn has_text(&self) -> bool {
        self.observe.has_text()
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
