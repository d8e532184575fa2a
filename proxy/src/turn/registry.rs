//! The turns of this process: those under way, and for a while those that have ended, so that they can still be followed.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use protocol::{MessageId, RequestId, SessionId};
use tokio::{sync::Notify, time::timeout};

use super::{
    NewTurn, Stop, Turn,
    rates::{OverRate, Rates},
};
use crate::{counts::Counts, principal::Owner, sources::Sources, store::Fingerprint};

/// How many turns that have ended are kept for followers that come late.
pub const MAX_FINISHED_TURNS: usize = 1_000;

/// How much text of turns that have ended is kept, in bytes.
pub const MAX_FINISHED_BYTES: usize = 64 * 1024 * 1024;

/// What came of a wish to begin a turn.
#[derive(Debug, Clone)]
pub enum Begin {
    /// It is a new turn; it has to be run.
    New(Arc<Turn>),
    /// The same request was made before; this is its turn.
    Same(Arc<Turn>),
    /// A request with the same id and another body was made before.
    OtherBody,
    /// The session has an answer under way.
    SessionBusy,
    /// As many turns are under way as may be: this many, of whom.
    Full(usize, &'static str),
    /// There were as many messages as may be in this time.
    OverRate(OverRate),
}

/// How many turns may be under way.
#[derive(Debug, Clone, Copy)]
pub struct MaxTurns {
    /// In all.
    pub all: usize,
    /// Of one user.
    pub of_user: usize,
    /// Of one organisation.
    pub of_organization: usize,
}

/// The turns of this process.
#[derive(Debug)]
pub struct Turns {
    inner: Mutex<Inner>,
    max: MaxTurns,
    rates: Rates,
    released: Notify,
}

/// What makes a request the same: owner, session and id. One that asks for a new session is never the same as another.
type RequestKey = (Owner, SessionId, RequestId);

#[derive(Debug, Default)]
struct Inner {
    turns: HashMap<MessageId, Known>,
    requests: HashMap<RequestKey, MessageId>,
    running: HashMap<(Owner, SessionId), Arc<Turn>>,
    /// How many of them each owner has.
    counts: Counts,
    finished: VecDeque<MessageId>,
    finished_bytes: usize,
    /// Answers of other processes that are followed here.
    elsewhere: HashMap<MessageId, Weak<Turn>>,
}

#[derive(Debug)]
struct Known {
    turn: Arc<Turn>,
    request: Option<RequestKey>,
    fingerprint: Fingerprint,
    bytes: usize,
    /// Whether it counts among those that have ended.
    finished: bool,
    /// Whether its message has given way to another: nobody follows it any more.
    replaced: bool,
}

impl Turns {
    /// A registry that takes at most `max_running` turns at a time, whoever's they are.
    pub fn new(max_running: usize) -> Self {
        let max = MaxTurns { all: max_running, of_user: usize::MAX, of_organization: usize::MAX };
        Self::within(max, Rates::default())
    }

    /// A registry that takes so many turns at a time, and messages as often as `rates` allow.
    pub fn within(max: MaxTurns, rates: Rates) -> Self {
        Self { inner: Mutex::default(), max, rates, released: Notify::new() }
    }

    /// What may be used in a minute.
    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The turn of a request that was made before and is still known here: [`Begin::Same`] or [`Begin::OtherBody`].
    pub fn known(&self, new: &NewTurn) -> Option<Begin> {
        self.inner().known(&request_key(new)?, new.fingerprint)
    }

    /// Begins a turn, unless the request was made before or there is no room. Only one that begins counts as a message.
    pub fn begin(&self, new: &NewTurn, sources: Sources) -> Begin {
        let request = request_key(new);
        let mut inner = self.inner();
        if let Some(known) = request.as_ref().and_then(|request| inner.known(request, new.fingerprint)) {
            return known;
        }
        let session = (new.owner.clone(), new.session_id.clone());
        if inner.running.contains_key(&session) {
            return Begin::SessionBusy;
        }
        let (users, organizations) = inner.counts.of(&new.owner);
        let MaxTurns { all, of_user, of_organization } = self.max;
        for (running, max, whose) in [
            (users, of_user, "one user"),
            (organizations, of_organization, "one organization"),
            (inner.running.len(), all, "everybody here"),
        ] {
            if running >= max {
                return Begin::Full(max, whose);
            }
        }
        if let Err(over) = self.rates.message(&new.owner) {
            return Begin::OverRate(over);
        }
        let turn = Arc::new(Turn::new(new, sources.message_id(), (sources.now)()));
        inner.running.insert(session, turn.clone());
        inner.counts.add(&new.owner);
        if let Some(request) = request.clone() {
            inner.requests.insert(request, turn.message_id.clone());
        }
        let known = Known {
            turn: turn.clone(),
            request,
            fingerprint: new.fingerprint,
            bytes: 0,
            finished: false,
            replaced: false,
        };
        inner.turns.insert(turn.message_id.clone(), known);
        Begin::New(turn)
    }

    /// The same, but where the turn before it in the session was stopped and has not let go of it yet, after that; for at most `limit`.
    pub async fn begin_after_stop(&self, new: &NewTurn, sources: Sources, limit: Duration) -> Begin {
        let begin = async {
            loop {
                let released = self.released.notified();
                match self.begin(new, sources) {
                    Begin::SessionBusy => {}
                    begin => return begin,
                }
                // None: it has just let go, and `released` knows.
                if self.running_in(&new.owner, &new.session_id).is_some_and(|turn| turn.stop() == Stop::No) {
                    return Begin::SessionBusy;
                }
                released.await;
            }
        };
        timeout(limit, begin).await.unwrap_or(Begin::SessionBusy)
    }

    /// The turn of the answer `id`, if it is `owner`'s.
    pub fn find(&self, owner: &Owner, id: &MessageId) -> Option<Arc<Turn>> {
        let inner = self.inner();
        let known = inner.turns.get(id).filter(|known| !known.replaced && known.turn.owner == *owner);
        known.map(|known| known.turn.clone())
    }

    /// Takes note of an answer of another process that is to be followed; returns it as it is followed already.
    pub(super) fn follow_elsewhere(&self, turn: &Arc<Turn>) -> Option<Arc<Turn>> {
        let mut inner = self.inner();
        inner.elsewhere.retain(|_, known| known.upgrade().is_some_and(|known| !known.has_ended()));
        let known = inner.elsewhere.get(&turn.message_id).and_then(Weak::upgrade);
        let known = known.filter(|known| known.owner == turn.owner);
        if known.is_none() {
            inner.elsewhere.insert(turn.message_id.clone(), Arc::downgrade(turn));
        }
        known
    }

    /// The turn under way that the request `id` of `owner` asked for.
    pub fn find_request(&self, owner: &Owner, id: &RequestId) -> Option<Arc<Turn>> {
        let inner = self.inner();
        inner.running.values().find(|turn| turn.owner == *owner && turn.request_id == *id).cloned()
    }

    /// The turn under way in a session.
    pub fn running_in(&self, owner: &Owner, session: &SessionId) -> Option<Arc<Turn>> {
        self.inner().running.get(&(owner.clone(), session.clone())).cloned()
    }

    /// The turns of `owner` that are under way.
    pub fn running_of(&self, owner: &Owner) -> Vec<Arc<Turn>> {
        self.inner().running.values().filter(|turn| turn.owner == *owner).cloned().collect()
    }

    /// How many turns are under way, without those that were stopped.
    pub fn running(&self) -> usize {
        self.inner().running.len()
    }

    /// Stops what is under way in a session and forgets what has ended: the session is deleted.
    pub fn forget_session(&self, owner: &Owner, session: &SessionId) {
        let mut guard = self.inner();
        let inner = &mut *guard;
        if let Some(turn) = inner.running.get(&(owner.clone(), session.clone())) {
            turn.cancel();
        }
        let theirs = |turn: &Turn| turn.owner == *owner && turn.session_id == *session;
        let ended = |id: &MessageId| inner.turns.get(id).is_some_and(|known| theirs(&known.turn));
        let gone: VecDeque<_>;
        (gone, inner.finished) = std::mem::take(&mut inner.finished).into_iter().partition(ended);
        gone.iter().for_each(|id| inner.remove(id));
    }

    /// Forgets the turns of a session that were before `turn`, which takes the place of some of them: the rest is in the store.
    pub(super) fn forget_before(&self, turn: &Turn) {
        let mut guard = self.inner();
        let inner = &mut *guard;
        let is_before = |known: &Turn| {
            let is_theirs = known.owner == turn.owner && known.session_id == turn.session_id;
            is_theirs && known.message_id != turn.message_id
        };
        for known in inner.turns.values_mut().filter(|known| is_before(&known.turn)) {
            known.replaced = true;
            if let Some(request) = known.request.take() {
                inner.requests.remove(&request);
            }
        }
        let gone: VecDeque<_>;
        let is_gone = |id: &MessageId| inner.turns.get(id).is_some_and(|known| known.replaced);
        (gone, inner.finished) = std::mem::take(&mut inner.finished).into_iter().partition(is_gone);
        gone.iter().for_each(|id| inner.remove(id));
    }

    /// Asks every turn to end at once: the proxy is about to.
    pub fn interrupt_all(&self) {
        self.inner().turns.values().for_each(|known| known.turn.interrupt());
    }

    /// Takes note that a turn takes no more text: its session may have the next one. It can still be followed to its end.
    pub(super) fn release(&self, turn: &Turn) {
        let key = (turn.owner.clone(), turn.session_id.clone());
        let mut inner = self.inner();
        if inner.running.get(&key).is_some_and(|running| std::ptr::eq(running.as_ref(), turn)) {
            inner.running.remove(&key);
            inner.counts.take(&turn.owner);
            self.released.notify_waiters();
        }
    }

    /// Takes note that the message of a turn was not taken, so that it is a new one when it is sent again.
    pub(super) fn forget_request(&self, turn: &Turn) {
        let mut guard = self.inner();
        let inner = &mut *guard;
        if let Some(request) = inner.turns.get_mut(&turn.message_id).and_then(|known| known.request.take()) {
            inner.requests.remove(&request);
        }
    }

    /// Takes note that a turn has ended. The oldest that have ended are forgotten where there are too many.
    pub(super) fn finish(&self, turn: &Turn) {
        self.release(turn);
        let bytes = turn.with_log(super::log::TurnLog::bytes);
        let mut guard = self.inner();
        let inner = &mut *guard;
        if let Some(known) = inner.turns.get_mut(&turn.message_id)
            && !std::mem::replace(&mut known.finished, true)
        {
            known.bytes = bytes;
            inner.finished_bytes += bytes;
            if known.replaced {
                inner.remove(&turn.message_id);
            } else {
                inner.finished.push_back(turn.message_id.clone());
            }
        }
        while inner.finished.len() > MAX_FINISHED_TURNS || inner.finished_bytes > MAX_FINISHED_BYTES {
            let Some(oldest) = inner.finished.pop_front() else { break };
            inner.remove(&oldest);
        }
    }
}

/// A request for a new session has none: it is never the same as another.
fn request_key(new: &NewTurn) -> Option<RequestKey> {
    let session = new.asking.session_id().cloned()?;
    Some((new.owner.clone(), session, new.request_id.clone()))
}

impl Inner {
    fn known(&self, request: &RequestKey, fingerprint: Fingerprint) -> Option<Begin> {
        let known = self.turns.get(self.requests.get(request)?)?;
        Some(if known.fingerprint == fingerprint { Begin::Same(known.turn.clone()) } else { Begin::OtherBody })
    }

    fn remove(&mut self, id: &MessageId) {
        let Some(known) = self.turns.remove(id) else { return };
        self.finished_bytes -= known.bytes;
        if let Some(request) = known.request {
            self.requests.remove(&request);
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::client::SendMessage;

    use super::*;
    use crate::turn::Asking;

    fn new(user: &str, session: &str, request: &str, message: &str) -> NewTurn {
        let session_id = SessionId::new(session).unwrap();
        let send = SendMessage {
            session_id: Some(session_id.clone()),
            message: message.into(),
            streaming: true,
            model: None,
            attachments: Vec::new(),
            replaces: None,
            system_prompt: None,
        };
        NewTurn {
            owner: Owner { organization: "o".into(), user: user.into() },
            session_id,
            request_id: RequestId::new(request).unwrap(),
            fingerprint: Fingerprint::of(send.clone()),
            asking: Asking::Message(send),
            model: "m".into(),
            role: protocol::server::PrincipalRole::User,
        }
    }

    fn unnamed(new: &mut NewTurn) {
        let Asking::Message(send) = &mut new.asking else { return };
        send.session_id = None;
    }

    fn begin(turns: &Turns, new: &NewTurn) -> Begin {
        turns.begin(new, Sources::system())
    }

    fn started(turns: &Turns, new: &NewTurn) -> Arc<Turn> {
        match begin(turns, new) {
            Begin::New(turn) => turn,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_same_request_is_one_turn_while_it_runs_and_after() {
        let turns = Turns::new(9);
        let turn = started(&turns, &new("ann", "s", "r", "hi"));
        for _ in 0..2 {
            assert!(
                matches!(begin(&turns, &new("ann", "s", "r", "hi")), Begin::Same(same) if Arc::ptr_eq(&same, &turn))
            );
            assert!(matches!(begin(&turns, &new("ann", "s", "r", "ho")), Begin::OtherBody));
            turns.finish(&turn);
        }
    }

    #[test]
    fn a_request_for_a_new_session_is_never_the_same_as_another() {
        let turns = Turns::new(9);
        let mut first = new("ann", "made-1", "r", "hi");
        unnamed(&mut first);
        let mut second = new("ann", "made-2", "r", "hi");
        unnamed(&mut second);
        let (first, second) = (started(&turns, &first), started(&turns, &second));
        assert!(!Arc::ptr_eq(&first, &second));
    }

    #[test]
    fn a_session_has_one_answer_at_a_time_and_the_process_a_most() {
        let turns = Turns::new(2);
        let first = started(&turns, &new("ann", "s", "r1", "hi"));
        assert!(matches!(begin(&turns, &new("ann", "s", "r2", "hi")), Begin::SessionBusy));
        started(&turns, &new("bob", "s", "r1", "hi"));
        assert!(matches!(begin(&turns, &new("ann", "t", "r3", "hi")), Begin::Full(2, "everybody here")));
        turns.finish(&first);
        started(&turns, &new("ann", "s", "r2", "hi"));
    }

    #[test]
    fn a_turn_is_found_by_its_owner_only() {
        let turns = Turns::new(9);
        let turn = started(&turns, &new("ann", "s", "r", "hi"));
        let bob = Owner { organization: "o".into(), user: "bob".into() };
        assert!(turns.find(&turn.owner, &turn.message_id).is_some());
        assert!(turns.find(&bob, &turn.message_id).is_none());
        assert!(turns.find_request(&turn.owner, &turn.request_id).is_some());
        assert!(turns.find_request(&bob, &turn.request_id).is_none());
    }

    #[test]
    fn a_deleted_session_leaves_nothing_to_follow() {
        let turns = Turns::new(9);
        let ended = started(&turns, &new("ann", "s", "r1", "hi"));
        turns.finish(&ended);
        let other = started(&turns, &new("ann", "t", "r1", "hi"));
        turns.finish(&other);
        let running = started(&turns, &new("ann", "s", "r2", "hi"));
        turns.forget_session(&running.owner, &running.session_id);
        assert!(turns.find(&ended.owner, &ended.message_id).is_none());
        assert!(turns.find(&other.owner, &other.message_id).is_some());
        assert_eq!(running.stop(), crate::turn::Stop::Cancelled);
        started(&turns, &new("ann", "u", "r1", "hi"));
    }

    #[test]
    fn turns_that_have_ended_are_kept_up_to_a_bound() {
        let turns = Turns::new(9);
        let mut all = Vec::new();
        for n in 0..=MAX_FINISHED_TURNS {
            let turn = started(&turns, &new("ann", "s", &format!("r{n}"), "hi"));
            turns.finish(&turn);
            all.push(turn);
        }
        assert!(turns.find(&all[0].owner, &all[0].message_id).is_none());
        assert!(turns.find(&all[1].owner, &all[1].message_id).is_some());
        let inner = turns.inner();
        assert_eq!((inner.turns.len(), inner.requests.len()), (MAX_FINISHED_TURNS, MAX_FINISHED_TURNS));
    }
}
