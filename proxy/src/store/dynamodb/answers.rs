//! Answers under way: opened with their question, kept bit by bit, closed once.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt, TryStreamExt, stream};
use protocol::{MessageId, RequestId, Timestamp, ToolUseId};

use super::{
    DynamoStore, EXPIRES, expires_at,
    item::{Attributes, Change, Item, json, n, s, unreadable},
    keys::{self, CHECKPOINTS, SHARDS},
    sessions::{KeptSession, key_of},
};
use crate::{
    principal::Owner,
    store::{
        Checkpoint, Decision, MAX_DECISIONS, MAX_UNFINISHED, OpenAnswer, Opening, Piece, StoreError, Wishes,
        join_pieces,
    },
};

/// How long after it was opened, or after its last checkpoint, an answer is taken to be made by the process that opened it.
pub const LEASE: Duration = Duration::from_secs(30);

/// How long checkpoints are kept whose answer nobody closes.
pub const CHECKPOINTS_KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);

/// How many answers are read at a time.
const PARALLEL_READS: usize = 16;

/// The most checkpoints of which it is remembered that nobody knows whether they are kept.
const MAX_UNCERTAIN: usize = 10_000;

/// Checkpoints of which nobody knows whether they are kept, by the number of their last event. The next one brings what they hold
/// again, so it takes their place.
#[derive(Debug, Default)]
pub(super) struct Uncertain(Mutex<HashMap<(Owner, MessageId), u64>>);

impl Uncertain {
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<(Owner, MessageId), u64>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The number of the checkpoint that one ending with the event `seq` replaces, or its own.
    fn number(&self, owner: &Owner, id: &MessageId, seq: u64) -> u64 {
        self.with(|all| {
            if all.len() >= MAX_UNCERTAIN {
                all.clear();
            }
            *all.entry((owner.clone(), id.clone())).or_insert(seq)
        })
    }

    /// The last checkpoint is kept, or none of the answer is needed any more.
    pub(super) fn forget(&self, owner: &Owner, id: &MessageId) {
        self.with(|all| all.remove(&(owner.clone(), id.clone())));
    }
}

/// What a decision begins with that lets a tool be called.
const APPROVED: &str = "approved";

/// What any other one begins with.
const DENIED: &str = "denied";

fn lease_from(time: Timestamp) -> u64 {
    time.unix_ms().saturating_add(LEASE.as_millis() as u64)
}

/// Until when an open answer is taken to be made by someone.
pub(super) fn lease_of(item: &Item) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_unix_ms(item.number("lease")?))
}

/// An answer as it is opened, as an item.
pub(super) fn opened(
    owner: &Owner,
    session: &KeptSession,
    question: u64,
    request: &RequestId,
    opening: &Opening,
) -> Result<Item, StoreError> {
    let Opening { message_id, started, model, input_bytes, reservation } = opening;
    Ok(keys::open_answer(owner, message_id).with([
        ("organization", s(&*owner.organization)),
        ("user", s(&*owner.user)),
        ("session", s(session.session.session_id.as_str())),
        ("life", s(&session.life)),
        ("question", n(question)),
        ("request", s(request.as_str())),
        ("message", s(message_id.as_str())),
        ("started", n(started.unix_ms())),
        ("model", s(model)),
        ("input_bytes", n(input_bytes)),
        ("reservation", json(reservation)?),
        ("lease", n(lease_from(*started))),
    ]))
}

/// An open answer without its text.
pub(super) fn open_of(item: &Item) -> Result<OpenAnswer, StoreError> {
    Ok(OpenAnswer {
        owner: Owner { organization: item.text("organization")?.into(), user: item.text("user")?.into() },
        session: item.id("session")?,
        request: item.id("request")?,
        opening: Opening {
            message_id: item.id("message")?,
            started: Timestamp::from_unix_ms(item.number("started")?),
            model: item.text("model")?.to_owned(),
            input_bytes: item.number("input_bytes")?,
            reservation: item.parsed("reservation")?,
        },
        pieces: Vec::new(),
    })
}

/// Whether an open answer takes text: not of a session that is deleted, nor of a message that is kept.
fn takes_text(open: &Item) -> bool {
    !open.has("gone") && !open.has("n")
}

/// A decision as a text of a set.
fn decision_text(call: &ToolUseId, approved: bool) -> String {
    format!("{}#{call}", if approved { APPROVED } else { DENIED })
}

/// The decisions on calls of an open answer.
fn decisions_of(open: &Item) -> Result<Vec<Decision>, StoreError> {
    let texts = open.get("decisions").and_then(|value| value.as_ss().ok());
    let decision = |text: &String| {
        let (what, call) = text.split_once('#').unwrap_or_default();
        Ok(Decision { tool_use_id: ToolUseId::new(call).map_err(unreadable)?, approved: what == APPROVED })
    };
    texts.into_iter().flatten().map(decision).collect()
}

/// What is wanted of an answer, as its item was left by a change that holds only where it is open.
fn wishes_of(open: Result<Item, Item>) -> Result<Wishes, StoreError> {
    let Ok(open) = open else { return Ok(Wishes::default()) };
    Ok(Wishes { is_to_stop: open.has("stop"), decisions: decisions_of(&open)? })
}

impl DynamoStore {
    /// Keeps the text first, then renews the lease where the answer is open still; where it is not, the text goes again.
    pub(super) async fn keep_going(
        &self,
        owner: &Owner,
        id: &MessageId,
        checkpoint: Checkpoint,
    ) -> Result<Wishes, StoreError> {
        let Checkpoint { at, model, pieces } = checkpoint;
        let mut change =
            Change::of(keys::open_answer(owner, id)).set("lease", n(lease_from(at))).when("attribute_exists(#pk)");
        let Some(last) = pieces.last() else {
            return wishes_of(self.table.update(change).await?);
        };
        change = change.set("model", s(model)).set("has_text", n(1));
        let pk = keys::checkpoints(owner, id);
        let key = keys::checkpoint(&pk, self.uncertain.number(owner, id, last.seq));
        let expires = expires_at(at, CHECKPOINTS_KEPT);
        let text = serde_json::to_string(&pieces).map_err(unreadable)?;
        let text = self.write_text(&pk, text, Some(expires.clone())).await?;
        let mut item = key.with([(EXPIRES, expires)]);
        text.add_to(&mut item);
        self.table.put(item).await?;
        let open = self.table.update(change).await?;
        self.uncertain.forget(owner, id);
        if !open.as_ref().is_ok_and(takes_text) {
            self.drop_text(&pk, &text).await;
            self.table.delete_all(vec![key]).await?;
        }
        wishes_of(open)
    }

    /// What is kept of the text of an answer.
    async fn pieces_of(&self, owner: &Owner, id: &MessageId) -> Result<Vec<Piece>, StoreError> {
        let pk = keys::checkpoints(owner, id);
        let mut joined = Vec::new();
        for item in self.table.collect(self.table.beginning(&pk, CHECKPOINTS), usize::MAX).await? {
            let Some(text) = self.text_of(&pk, &item).await? else { break };
            join_pieces(&mut joined, serde_json::from_str(&text).map_err(unreadable)?);
        }
        Ok(joined)
    }

    pub(super) async fn find_open(&self, owner: &Owner, id: &MessageId) -> Result<Option<OpenAnswer>, StoreError> {
        // The text first: as long as the answer is open all of it is there.
        let pieces = self.pieces_of(owner, id).await?;
        let Some(item) = self.table.get(&keys::open_answer(owner, id)).await? else { return Ok(None) };
        Ok(Some(OpenAnswer { pieces: if takes_text(&item) { pieces } else { Vec::new() }, ..open_of(&item)? }))
    }

    pub(super) async fn stop(&self, owner: &Owner, id: &MessageId) -> Result<bool, StoreError> {
        let change = Change::of(keys::open_answer(owner, id)).set("stop", n(1)).when("attribute_exists(#pk)");
        Ok(self.table.update(change).await?.is_ok())
    }

    pub(super) async fn decide_on(
        &self,
        owner: &Owner,
        id: &MessageId,
        decision: &Decision,
    ) -> Result<bool, StoreError> {
        let [yes, no] = [true, false].map(|approved| decision_text(&decision.tool_use_id, approved));
        let this = if decision.approved { yes.clone() } else { no.clone() };
        let change = Change::of(keys::open_answer(owner, id))
            .include("decisions", this)
            .when("attribute_exists(#pk)")
            .when(
                "(attribute_not_exists(#decisions) OR (NOT contains(#decisions, :yes)
                    AND NOT contains(#decisions, :no) AND size(#decisions) < :most))",
            )
            .with("yes", s(yes))
            .with("no", s(no))
            .with("most", n(MAX_DECISIONS));
        match self.table.update(change).await? {
            Ok(_) => Ok(true),
            // This very decision, too, where the request was sent twice.
            Err(open) => Ok(decisions_of(&open)?.iter().any(|known| known.tool_use_id == decision.tool_use_id)),
        }
    }

    /// The open answers whose lease has run out.
    pub(super) async fn left_open(&self, now: Timestamp) -> Result<Vec<OpenAnswer>, StoreError> {
        let expired = |shard| {
            let query = self.table.all_of(&keys::open_answers(shard));
            let query = query
                .filter_expression("#lease <= :now")
                .expression_attribute_names("#lease", "lease")
                .expression_attribute_values(":now", n(now.unix_ms()));
            self.table.collect(query, MAX_UNFINISHED)
        };
        let shards: Vec<_> = (0..SHARDS).map(expired).collect();
        let found: Vec<Vec<Item>> = stream::iter(shards).buffered(PARALLEL_READS).try_collect().await?;
        let read = found.into_iter().flatten().take(MAX_UNFINISHED).map(async |item| {
            let open = open_of(&item)?;
            let pieces = match takes_text(&item) && item.has("has_text") {
                true => self.pieces_of(&open.owner, &open.opening.message_id).await?,
                false => Vec::new(),
            };
            Ok(OpenAnswer { pieces, ..open })
        });
        let read: Vec<_> = read.collect();
        stream::iter(read).buffered(PARALLEL_READS).try_collect().await
    }

    /// Deletes the text of an answer that is kept as a message, or not at all.
    pub(super) async fn drop_checkpoints(&self, owner: &Owner, id: &MessageId) -> Result<(), StoreError> {
        let query = self.table.all_of(&keys::checkpoints(owner, id));
        let found = self.table.keys(query, &["expires"], usize::MAX).await?;
        self.table.delete_all(found.iter().map(key_of).collect::<Result<_, _>>()?).await
    }
}
