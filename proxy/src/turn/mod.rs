//! Turns: a message of a person and the answer to it.
//!
//! A turn belongs to the proxy and not to a socket. It goes on when every socket is gone, and any socket of its owner can follow
//! it from any point of its [`log`].

mod answer;
mod approvals;
mod asking;
mod assembly;
pub mod attempts;
pub mod breaker;
mod calls;
mod elsewhere;
mod files;
pub mod history;
mod line;
pub mod log;
mod meter;
pub mod queue;
pub mod rates;
mod registry;
mod restored;
mod rounds;
mod run;
pub mod toolbox;
mod transcript;
mod wake;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, Weak,
    atomic::{AtomicBool, AtomicU8, Ordering},
};

use protocol::{
    Message, MessageId, Part, RequestId, Role, SessionId, Timestamp, ToolUseId,
    server::{PrincipalRole, StatusState},
};
use tokio::{sync::Notify, time::Instant};

use crate::{
    conversation::Block,
    observe::{Caller, current_caller},
    principal::Owner,
    store::{Fingerprint, Kept},
};
use approvals::Approvals;
use log::{End, TurnLog};
use transcript::Transcript;

pub use asking::{Asking, asked_in};
pub use registry::{Begin, MAX_FINISHED_BYTES, MAX_FINISHED_TURNS, MaxTurns, Turns};
pub use rounds::ToolLimits;
pub use run::{CHECKPOINT_BYTES, CHECKPOINT_INTERVAL, Limits, MAX_SETTLING, Runner};
pub use wake::Wake;

/// One turn.
#[derive(Debug)]
pub struct Turn {
    /// Whose it is.
    pub owner: Owner,
    /// The conversation.
    pub session_id: SessionId,
    /// The `id` of the frame that asked for it.
    pub request_id: RequestId,
    /// The answer's id.
    pub message_id: MessageId,
    /// When it began.
    pub started: Timestamp,
    /// The request that began it, where that came over a connection of this process.
    pub(crate) caller: Option<Arc<Caller>>,
    approvals: Approvals,
    transcript: Mutex<Transcript>,
    shared: Mutex<Shared>,
    stop: AtomicU8,
    stop_asked: Notify,
    question_kept: AtomicBool,
    checkpoint_due: Notify,
}

/// Why a turn is to end before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Stop {
    /// It is not.
    No,
    /// A person stopped it.
    Cancelled,
    /// The proxy is about to end.
    Interrupted,
}

#[derive(Debug, Default)]
struct Shared {
    log: TurnLog,
    model: String,
    waiting: Waiting,
    followers: Vec<Weak<Wake>>,
    /// The message, of an answer that has ended in another process.
    kept_elsewhere: Option<Message>,
    /// With how many bytes of text the next checkpoint is due.
    checkpoint_at: Option<usize>,
}

/// What a turn waits for. It is no event: who was not told has lost nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// What for, and until when.
    pub state: Option<(StatusState, Instant)>,
    /// How often it has changed.
    pub changes: u64,
}

/// A turn to begin.
#[derive(Debug, Clone)]
pub struct NewTurn {
    /// Whose it is.
    pub owner: Owner,
    /// The conversation.
    pub session_id: SessionId,
    /// The `id` of the frame that asks for it.
    pub request_id: RequestId,
    /// What is asked for.
    pub asking: Asking,
    /// Tells that from anything else.
    pub fingerprint: Fingerprint,
    /// The model that answers.
    pub model: String,
    /// What whoever asks may see and change.
    pub role: PrincipalRole,
}

impl Turn {
    fn new(new: &NewTurn, message_id: MessageId, started: Timestamp) -> Self {
        let NewTurn { owner, session_id, request_id, model, .. } = new.clone();
        let empty = Self::empty(owner, session_id, request_id, message_id, started, model);
        Self { caller: current_caller(), ..empty }
    }

    fn empty(
        owner: Owner,
        session_id: SessionId,
        request_id: RequestId,
        message_id: MessageId,
        started: Timestamp,
        model: String,
    ) -> Self {
        Self {
            owner,
            session_id,
            request_id,
            message_id,
            started,
            caller: None,
            approvals: Approvals::default(),
            transcript: Mutex::default(),
            shared: Mutex::new(Shared { model, ..Shared::default() }),
            stop: AtomicU8::new(Stop::No as u8),
            stop_asked: Notify::new(),
            question_kept: AtomicBool::new(false),
            checkpoint_due: Notify::new(),
        }
    }

    /// The model that answers; another than the one that was asked for where that could not.
    pub fn model(&self) -> String {
        self.shared().model.clone()
    }

    pub(crate) fn answer_with(&self, model: &str) {
        model.clone_into(&mut self.shared().model);
    }

    /// What the turn waits for.
    pub fn waiting(&self) -> Waiting {
        self.shared().waiting
    }

    /// Tells every follower what the turn waits for now, until when.
    pub(crate) fn say(&self, state: Option<(StatusState, Instant)>) {
        let mut shared = self.shared();
        shared.waiting = Waiting { state, changes: shared.waiting.changes + 1 };
        if state.is_some() {
            shared.ring();
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the log.
    pub fn with_log<T>(&self, look: impl FnOnce(&TurnLog) -> T) -> T {
        look(&self.shared().log)
    }

    /// Adds to the log, however much, and tells every follower once.
    pub fn append<T>(&self, add: impl FnOnce(&mut TurnLog) -> T) -> T {
        let mut shared = self.shared();
        let result = add(&mut shared.log);
        shared.ring();
        if shared.checkpoint_at.is_some_and(|bytes| shared.log.text_bytes() >= bytes) {
            shared.checkpoint_at = None;
            self.checkpoint_due.notify_one();
        }
        result
    }

    /// Ready once there are `bytes` of text.
    async fn grown_to(&self, bytes: usize) {
        {
            let mut shared = self.shared();
            if shared.log.text_bytes() >= bytes {
                return;
            }
            shared.checkpoint_at = Some(bytes);
        }
        self.checkpoint_due.notified().await;
    }

    /// Whether its question is stored. Until then nobody is told of the turn: what is acknowledged is kept.
    pub fn is_question_kept(&self) -> bool {
        self.question_kept.load(Ordering::Acquire)
    }

    pub(crate) fn keep_question(&self) {
        self.question_kept.store(true, Ordering::Release);
    }

    /// Whether any socket follows it.
    pub fn is_watched(&self) -> bool {
        self.shared().followers.iter().any(|follower| follower.strong_count() > 0)
    }

    /// Rings `wake` whenever the log grows, and once now.
    pub fn follow(&self, wake: &Arc<Wake>) {
        let mut shared = self.shared();
        let known = shared.followers.iter().any(|follower| std::ptr::eq(follower.as_ptr(), Arc::as_ptr(wake)));
        if !known {
            shared.followers.push(Arc::downgrade(wake));
        }
        wake.ring();
    }

    /// A person lets the call of a tool run, or not; `false` where that does not wait for it.
    pub fn decide(&self, id: &ToolUseId, approved: bool) -> bool {
        self.approvals.decide(id.as_str(), approved)
    }

    /// Takes note of what a person has allowed in the conversation before.
    fn recall_approvals(&self, history: &[Kept]) {
        for part in history.iter().flat_map(|kept| &kept.message.parts) {
            if let Part::ToolUse(call) = part
                && call.approved
            {
                self.approvals.allow(history::qualified(call));
            }
        }
    }

    fn transcript(&self) -> MutexGuard<'_, Transcript> {
        self.transcript.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what one side said.
    fn transcribe(&self, role: Role, blocks: Vec<Block>) {
        self.transcript().push(role, blocks);
    }

    /// Forgets what the model is sent of it later: that is kept.
    fn forget_transcript(&self) {
        *self.transcript() = Transcript::default();
    }

    /// The answer so far, taken to end with `end`, and what the model is sent of it later.
    fn kept_ending(&self, end: &End) -> Kept {
        let rest = self.with_log(|log| log.round_text());
        Kept { message: self.message_ending(end), turns: self.transcript().turns(rest) }
    }

    /// Asks the turn to stop. Its log ends with `cancelled` unless it has ended already.
    pub fn cancel(&self) {
        self.ask_to_stop(Stop::Cancelled);
    }

    /// Asks the turn to end at once with what there is of it, since the proxy is about to end.
    pub fn interrupt(&self) {
        self.ask_to_stop(Stop::Interrupted);
    }

    fn ask_to_stop(&self, stop: Stop) {
        self.stop.fetch_max(stop as u8, Ordering::AcqRel);
        self.stop_asked.notify_one();
    }

    fn stop(&self) -> Stop {
        match self.stop.load(Ordering::Acquire) {
            0 => Stop::No,
            1 => Stop::Cancelled,
            _ => Stop::Interrupted,
        }
    }

    async fn stopped(&self) -> Stop {
        while self.stop() == Stop::No {
            self.stop_asked.notified().await;
        }
        self.stop()
    }

    async fn interrupted(&self) {
        while self.stop() < Stop::Interrupted {
            self.stop_asked.notified().await;
        }
    }

    /// Whether no more text is taken.
    pub fn is_stopped(&self) -> bool {
        self.with_log(TurnLog::is_stopped)
    }

    /// Whether the turn has ended.
    pub fn has_ended(&self) -> bool {
        let shared = self.shared();
        shared.log.end().is_some() || shared.kept_elsewhere.is_some()
    }

    /// The answer, as a message.
    pub fn message(&self) -> Message {
        let shared = self.shared();
        self.message_of(&shared.log, shared.log.end(), &shared.model)
    }

    /// The answer so far, as a message, and the number of its last event; none of a turn that has ended or that nobody is told of yet.
    pub fn so_far(&self) -> Option<(Message, u64)> {
        let shared = self.shared();
        let has_ended = shared.log.end().is_some() || shared.kept_elsewhere.is_some();
        let under_way = self.is_question_kept() && !has_ended;
        under_way.then(|| (self.message_of(&shared.log, None, &shared.model), shared.log.seq()))
    }

    /// The answer so far, taken to end with `end`.
    fn message_ending(&self, end: &End) -> Message {
        let shared = self.shared();
        self.message_of(&shared.log, Some(end), &shared.model)
    }

    /// The answer in `log`, taken to end with `end`.
    fn message_of(&self, log: &TurnLog, end: Option<&End>, model: &str) -> Message {
        let answer = log.fold();
        let content = answer.text();
        let parts = answer.into_parts();
        let plain = matches!(parts.as_slice(), [] | [Part::Text { .. }]);
        let (usage, stop_reason, error) = match end {
            None => (None, None, None),
            Some(End::Complete { stop_reason, usage }) => (Some(usage.clone()), Some(*stop_reason), None),
            Some(End::Failed(error)) => (error.usage.clone(), None, Some(error.clone())),
        };
        Message {
            message_id: self.message_id.clone(),
            request_id: None,
            content,
            attachments: Vec::new(),
            role: Role::Assistant,
            timestamp: self.started,
            usage,
            model: Some(model.to_owned()),
            stop_reason,
            parts: if plain { Vec::new() } else { parts },
            error,
        }
    }
}

impl Shared {
    fn ring(&mut self) {
        self.followers.retain(|follower| match follower.upgrade() {
            Some(wake) => {
                wake.ring();
                true
            }
            None => false,
        });
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use protocol::codec::StreamKind;

    use super::*;
    use crate::sources::Sources;

    #[tokio::test]
    async fn a_turn_has_grown_however_long_ago() {
        let ids = Sources::system();
        let request = RequestId::new("r").unwrap();
        let turn =
            Turn::empty(Owner::local(), ids.session_id(), request, ids.message_id(), (ids.now)(), "m".to_owned());
        let grow = || turn.append(|log| log.append(StreamKind::Text, 0, "0123456789").unwrap());
        grow();
        assert!(turn.grown_to(10).now_or_never().is_some());
        let mut later = Box::pin(turn.grown_to(11));
        assert!(later.as_mut().now_or_never().is_none());
        grow();
        assert!(later.now_or_never().is_some());
    }
}
