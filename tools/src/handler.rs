//! What a server tells of its own accord. What it asks for is refused: it gets no answers from a model, no files and no forms.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use rmcp::{
    ClientHandler, RoleClient,
    model::{ClientConfig, Implementation, ProgressNotificationParam, ProgressToken},
    service::NotificationContext,
};
use tokio::sync::Notify;

use crate::{call::Progress, content::cut};

/// The most of what a server says of its progress.
const MAX_PROGRESS_BYTES: usize = 256;

/// Hears a server of one connection.
#[derive(Clone, Default)]
pub(crate) struct Handler {
    pub(crate) tools_changed: Arc<Notify>,
    pub(crate) listeners: Listeners,
}

/// Who wants to hear of progress.
#[derive(Clone, Default)]
pub(crate) struct Listeners(Arc<Mutex<HashMap<ProgressToken, Listener>>>);

/// Is told of progress.
pub(crate) type Listener = Arc<dyn Fn(Progress) + Send + Sync>;

/// Listens until it is dropped.
pub(crate) struct Listening {
    listeners: Listeners,
    token: ProgressToken,
}

impl Listeners {
    pub(crate) fn add(&self, token: ProgressToken, listener: Listener) -> Listening {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), listener);
        Listening { listeners: self.clone(), token }
    }

    fn of(&self, token: &ProgressToken) -> Option<Listener> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.listeners.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.token);
    }
}

impl ClientHandler for Handler {
    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.tools_changed.notify_one();
    }

    async fn on_progress(&self, progress: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        if let Some(listener) = self.listeners.of(&progress.progress_token) {
            let message = progress.message.map(|message| cut(&message, MAX_PROGRESS_BYTES).to_owned());
            listener(Progress { done: progress.progress, total: progress.total, message });
        }
    }

    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(Default::default(), Implementation::new("outcrop", env!("CARGO_PKG_VERSION")))
    }
}
