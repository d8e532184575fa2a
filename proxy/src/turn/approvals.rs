//! What people allow of the tools that an answer wants to call.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// The calls of one answer that wait for a person, and what was said about them.
#[derive(Debug, Default)]
pub(super) struct Approvals {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The calls that wait.
    waiting: HashSet<String>,
    /// What was said; what was said first counts.
    decided: HashMap<String, bool>,
    /// The tools that need no further word in this conversation.
    allowed: HashSet<String>,
}

impl Approvals {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A person has allowed `tool` in this conversation before.
    pub(super) fn allow(&self, tool: String) {
        self.state().allowed.insert(tool);
    }

    /// Whether a person has.
    pub(super) fn is_allowed(&self, tool: &str) -> bool {
        self.state().allowed.contains(tool)
    }

    /// Whether any call waits.
    pub(super) fn is_waiting(&self) -> bool {
        !self.state().waiting.is_empty()
    }

    /// The call `id` waits from now on, until what this returns is dropped.
    pub(super) fn wait(&self, id: &str) -> Waiting<'_> {
        self.state().waiting.insert(id.to_owned());
        Waiting { approvals: self, id: id.to_owned() }
    }

    /// A person says yes or no to the call `id`. `false` where that does not wait, unless the same was said before: whoever did not hear that
    /// it was taken says it again.
    pub(super) fn decide(&self, id: &str, approved: bool) -> bool {
        let mut state = self.state();
        if let Some(decided) = state.decided.get(id) {
            return *decided == approved;
        }
        if !state.waiting.contains(id) {
            return false;
        }
        state.decided.insert(id.to_owned(), approved);
        drop(state);
        self.changed.notify_waiters();
        true
    }
}

/// A call that waits.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    approvals: &'a Approvals,
    id: String,
}

impl Waiting<'_> {
    /// What a person says. With a yes to one call of `tool`, where that is given, others of it need none.
    pub(super) async fn answer(&self, tool: Option<&str>) -> bool {
        loop {
            let changed = self.approvals.changed.notified();
            {
                let mut state = self.approvals.state();
                match (state.decided.get(&self.id).copied(), tool) {
                    (Some(true), Some(tool)) => {
                        if state.allowed.insert(tool.to_owned()) {
                            drop(state);
                            self.approvals.changed.notify_waiters();
                        }
                        return true;
                    }
                    (Some(approved), _) => return approved,
                    (None, Some(tool)) if state.allowed.contains(tool) => return true,
                    (None, _) => {}
                }
            }
            changed.await;
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.approvals.state().waiting.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn the_first_word_counts_and_only_about_what_waits() {
        let approvals = Approvals::default();
        assert!(!approvals.decide("a", true), "it does not wait");
        let waiting = approvals.wait("a");
        assert!(approvals.is_waiting());
        assert!(waiting.answer(None).now_or_never().is_none());
        assert!(approvals.decide("a", false));
        assert!(!approvals.decide("a", true), "no is final");
        assert!(approvals.decide("a", false), "and may be said again");
        assert_eq!(waiting.answer(None).now_or_never(), Some(false));
        drop(waiting);
        assert!(!approvals.is_waiting());
    }

    #[tokio::test]
    async fn a_yes_for_the_conversation_is_one_for_every_call_of_the_tool() {
        let approvals = Approvals::default();
        let (one, two, other) = (approvals.wait("1"), approvals.wait("2"), approvals.wait("3"));
        let mut second = Box::pin(two.answer(Some("s/t")));
        let mut third = Box::pin(other.answer(Some("s/u")));
        assert!(second.as_mut().now_or_never().is_none() && third.as_mut().now_or_never().is_none());
        assert!(approvals.decide("1", true));
        assert_eq!(one.answer(Some("s/t")).now_or_never(), Some(true));
        assert_eq!(second.now_or_never(), Some(true));
        assert!(third.now_or_never().is_none());
        assert!(approvals.is_allowed("s/t") && !approvals.is_allowed("s/u"));
    }
}
