//! What has to be there after a kill.

use std::{collections::HashMap, fmt, path::Path, time::Duration};

use client_core::RequestErrorCode;
use outcrop_proxy::turn::{CHECKPOINT_BYTES, CHECKPOINT_INTERVAL};
use protocol::ErrorCode;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    held::{Ended, Held},
    page::Page,
    visitor::{Asked, Session},
};

/// How long a checkpoint may take until it is committed, and the one before it, on a machine that is quick.
const COMMITTED_WITHIN: Duration = Duration::from_millis(500);

/// When the proxy was killed, and how slow it had been.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kill {
    pub(crate) at: Instant,
    /// The longest that a question and its answer took to be committed.
    pub(crate) slowest: Duration,
}

impl Kill {
    fn committed_within(&self) -> Duration {
        COMMITTED_WITHIN + 2 * self.slowest
    }
}

/// What there was.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    acknowledged: u64,
    /// Answers that had not ended at a kill.
    under_way: u64,
    whole: u64,
    stopped: u64,
    interrupted: u64,
    /// Those of which something had to be kept, after so long and after so much.
    due_by_time: u64,
    due_by_size: u64,
    /// Those of which more was kept than had been seen.
    unseen: u64,
    kept_bytes: usize,
}

/// That the file is whole and no answer is open.
pub(crate) fn check_file(folder: &Path) {
    let file =
        Connection::open_with_flags(folder.join("outcrop.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a file");
    let value = |query: &str| file.query_row(query, [], |row| row.get::<_, String>(0)).expect("a value");
    assert_eq!(value("PRAGMA integrity_check"), "ok");
    assert_eq!(value("SELECT count(*) || '' FROM pragma_foreign_key_check"), "0");
    assert_eq!(
        value("SELECT count(*) || ' open, ' || (SELECT count(*) FROM kept_checkpoints) FROM answers_under_way"),
        "0 open, 0"
    );
}

/// Holds the history of a session against what was seen of it: just after a kill, or in the end.
pub(crate) fn check_history(
    history: &Held,
    page: &Page,
    session: &Session,
    killed: Option<Kill>,
    figures: &mut Figures,
) {
    let no_messages = Vec::new();
    let messages = match (&history.reply, &history.failed) {
        (Some(history), _) => {
            assert!(history.get("inProgress").is_none(), "{}: an answer is under way", session.name);
            assert_eq!(history["hasMore"], false, "{}", session.name);
            history["messages"].as_array().expect("messages")
        }
        // Its first question may not have arrived.
        (None, Some(error)) if error.code == RequestErrorCode::Proxy(ErrorCode::SessionNotFound) => &no_messages,
        (None, failed) => panic!("no history of {}: {failed:?}", session.name),
    };
    let mut rest = messages.iter().peekable();
    for asked in &session.asked {
        let held = page.held(asked.handle);
        let has_arrived = rest.next_if(|message| message["content"] == asked.question).is_some();
        let is_acknowledged = !held.message_id.is_empty() || held.ended();
        assert!(has_arrived || !is_acknowledged, "{} is lost: {held:?}", asked.question);
        let kept = rest.next_if(|message| message["role"] == "assistant");
        assert!(has_arrived || kept.is_none(), "an answer to nothing: {kept:?}");
        check_answer(held, asked, kept, killed, figures);
    }
    assert!(rest.next().is_none(), "{}: messages that nobody knows of", session.name);
}

fn check_answer(held: &Held, asked: &Asked, kept: Option<&Value>, killed: Option<Kill>, figures: &mut Figures) {
    let question = &asked.question;
    if held.reply.is_some() || held.done.is_some() {
        let kept = kept.unwrap_or_else(|| panic!("the whole answer to {question} is lost"));
        assert_eq!(Ended::stored(kept), held.end(question), "{question}");
        return;
    }
    let error = kept.map_or(&Value::Null, |kept| &kept["error"]);
    assert!(error.is_null() || error["code"] == "interrupted", "{question}: {error}");
    let (seen, text) = (flat(held), kept.map(|kept| flat(&Held::begun(kept))).unwrap_or_default());
    assert!(seen.starts_with(&text) || text.starts_with(&seen), "{question}: kept is {text}, seen was {seen}");
    assert!(
        kept.is_none() || !error.is_null() || text.starts_with(&seen),
        "{question}: what ended lacks some of {seen}"
    );
    // One that had failed before this kill is as it was then.
    let (Some(killed), None) = (killed, &held.failed) else { return };
    let by_time = asked.seen_before(killed.at, CHECKPOINT_INTERVAL + killed.committed_within());
    let by_size = asked.seen_before(killed.at, killed.committed_within()).saturating_sub(CHECKPOINT_BYTES);
    let due = by_time.max(by_size);
    assert!(
        text.len() >= due,
        "{question}: {} bytes are kept, {due} should be ({by_time}, {by_size}; {killed:?})",
        text.len()
    );
    figures.under_way += 1;
    figures.due_by_time += u64::from(by_time > 0);
    figures.due_by_size += u64::from(by_size > 0);
    figures.unseen += u64::from(text.len() > seen.len());
    figures.kept_bytes += text.len();
}

/// What a client was told in the end, of which no more may have come than Bedrock `sent`.
pub(crate) fn check_told(held: &Held, asked: &Asked, sent: &HashMap<String, String>, figures: &mut Figures) {
    let question = &asked.question;
    let sent = sent.get(question).map_or("", String::as_str);
    figures.acknowledged += 1;
    let Some(failed) = &held.failed else {
        let ended = held.end(question);
        assert!(sent.starts_with(&ended.text), "{question}: {} is not what was sent", ended.text);
        assert!(ended.was_stopped() || sent == ended.text, "{question}: not all of what was sent");
        *(if ended.was_stopped() { &mut figures.stopped } else { &mut figures.whole }) += 1;
        return;
    };
    assert_eq!(failed.code, RequestErrorCode::Proxy(ErrorCode::Interrupted), "{question}: {failed}");
    assert!(sent.starts_with(&held.text), "{question}: {} is not what was sent", held.text);
    figures.interrupted += 1;
}

/// Reasoning comes first.
fn flat(held: &Held) -> String {
    [held.reasoning.as_str(), &held.text].concat()
}

impl Figures {
    pub(crate) fn assert_every_kind(&self) {
        let Self { under_way, whole, stopped, interrupted, due_by_time, due_by_size, unseen, .. } = self;
        let counts = [under_way, whole, stopped, interrupted, due_by_time, due_by_size, unseen];
        assert!(counts.iter().all(|&&count| count > 0), "every kind of thing happens: {self:?}");
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acknowledged, under_way, whole, stopped, interrupted, due_by_time, due_by_size, unseen, kept_bytes } =
            self;
        write!(
            f,
            "{acknowledged} questions acknowledged and none lost, {whole} answers whole and {stopped} stopped, each as it was told, \
             {interrupted} interrupted; of {under_way} under way at a kill {kept_bytes} bytes were kept ({due_by_time} had to be \
             after 2 s, {due_by_size} for their size, {unseen} have more than was seen)"
        )
    }
}
