//! What must hold, whatever happens: of each piece that is shown, of each end, and of what is kept and billed.

use std::time::Duration;

use client_core::{Piece, RequestError, RequestErrorCode};
use outcrop_proxy::{
    principal::Owner,
    store::{CallOutcome, CallsOf, MemoryStore, Store},
    turn::CHECKPOINT_INTERVAL,
};
use protocol::{ErrorCode, Message, MessageId, Role, SessionId, StopReason, Timestamp, Usage, UsageSource};
use tokio::time::Instant;

use crate::{
    disk::slowest_ms,
    page::{History, Page, SESSION},
    server::budgets,
    upstream::{Call, Ledger},
};

/// The most calls for a question: each of two models is asked four times at most.
const MAX_CALLS: usize = 8;

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) cuts: u64,
    pub(crate) answers: u64,
    pub(crate) whole: u64,
    pub(crate) stopped: u64,
    pub(crate) failed: u64,
    pub(crate) followed: u64,
    pub(crate) reloads: u64,
    pub(crate) restarts: u64,
    pub(crate) crashes: u64,
    pub(crate) calls: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.cuts += other.cuts;
        self.answers += other.answers;
        self.whole += other.whole;
        self.stopped += other.stopped;
        self.failed += other.failed;
        self.followed += other.followed;
        self.reloads += other.reloads;
        self.restarts += other.restarts;
        self.crashes += other.crashes;
        self.calls += other.calls;
    }
}

/// A message, and what became of it.
#[derive(Debug, Default)]
pub(crate) struct Question {
    pub(crate) text: String,
    /// The tab it was asked in.
    pub(crate) page: usize,
    /// When a person stops it, and whether one has.
    pub(crate) stop_at: Option<u64>,
    pub(crate) stopped: bool,
    /// In which tab and when, while that tab has to see to it that the proxy hears of it.
    pub(crate) stopping: Option<(usize, u64)>,
    /// When the proxy heard of it.
    pub(crate) stop_heard: Option<u64>,
    /// How much text there may be at most, since it was stopped.
    pub(crate) most_text: Option<usize>,
    /// Whether a process ended before every tab that reads the answer knew of its end.
    pub(crate) interrupted: bool,
    /// When it was killed before the tab it was asked in did.
    pub(crate) crashed: Option<u64>,
    /// Whether the tab it was asked in knows its end.
    pub(crate) ended: bool,
    shown: Vec<Shown>,
}

/// The end of an answer in one tab.
#[derive(Debug)]
struct Shown {
    text: String,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    Stopped,
    Failed,
    /// It had ended before the tab looked.
    Kept,
}

pub(crate) struct Oracle {
    began: Instant,
    /// How long a stop that has reached the proxy may take: the disk is asked up to four times before an answer can be stopped.
    pub(crate) stop_ms: u64,
    ledger: Ledger,
    pub(crate) questions: Vec<Question>,
    pub(crate) counts: Counts,
}

impl Oracle {
    pub(crate) fn new(seed: u64, ledger: Ledger) -> Self {
        Self {
            began: Instant::now(),
            stop_ms: 10 * slowest_ms(seed),
            ledger,
            questions: Vec::new(),
            counts: Counts::default(),
        }
    }

    pub(crate) fn asked(&mut self, text: String, page: usize, stop_at: Option<u64>) {
        self.questions.push(Question { text, page, stop_at, ..Question::default() });
    }

    /// Takes what is new of the answer that the tab reads at `at`.
    pub(crate) fn news(&mut self, tab: usize, page: &mut Page, at: usize) {
        let Page { client, reading, usages, unused, outbox, .. } = page;
        let reading = &mut reading[at];
        let question = &mut self.questions[reading.question];
        let ledger = self.ledger.lock().expect("the ledger");
        let call = content_of(&ledger, &question.text);
        let (counts, began, stop_ms) = (&mut self.counts, self.began, self.stop_ms);
        let mut end = None;
        client.take(reading.handle, |news| {
            assert!(end.is_none(), "nothing comes after the end");
            if !news.message_id.is_empty() {
                outbox.retain(|&waiting| waiting != reading.question);
            }
            match news.piece {
                Piece::Text(text) => {
                    let sent = &call.expect("text has a call").text;
                    assert!(sent[reading.text.len()..].starts_with(text), "text that was not sent: {text:?}");
                    reading.text.push_str(text);
                }
                Piece::Done { content, stop_reason, usage } => {
                    assert_eq!(content, reading.text, "the whole is the sum of the pieces");
                    *usages += 1;
                    // Stopped before it was sent, or before a call: nothing was used, and it may not count as an answer.
                    *unused += u64::from(*usage == Usage::default());
                    end = Some(if stop_reason == StopReason::Cancelled {
                        question.check_stopped(call, &reading.text, usage);
                        counts.stopped += 1;
                        End::Stopped
                    } else {
                        question.check_whole(call, &reading.text, usage, began, stop_ms);
                        counts.whole += 1;
                        End::Whole
                    });
                }
                Piece::Failed(error) => {
                    question.check_failed(call, error, began, stop_ms);
                    *usages += u64::from(error.usage.is_some());
                    counts.failed += 1;
                    end = Some(End::Failed);
                }
                Piece::Reasoning(_) | Piece::Tool(_) | Piece::Status { .. } => {}
            }
        });
        let counted = client.usage().all.turns;
        assert!(counted <= *usages && counted + *unused >= *usages, "usage is counted once: {counted} of {usages}");
        drop(ledger);
        if let Some(end) = end {
            let reading = page.reading.remove(at);
            page.outbox.retain(|&waiting| waiting != reading.question);
            self.counts.answers += 1;
            self.show(tab, reading.question, reading.text, end);
        }
    }

    /// Takes what a tab sees that asks for the history.
    pub(crate) fn history(&mut self, now: u64, at: usize, page: &mut Page, history: History) {
        if let Some((held, text)) = history.in_progress {
            let (asked, answer) = history.turns.last().expect("an answer under way has a question");
            assert_eq!(*answer, None, "an answer is under way or kept, not both");
            let question = self.questions.iter().position(|question| question.text == *asked).expect("its question");
            let ledger = self.ledger.lock().expect("the ledger");
            let sent = content_of(&ledger, asked).map_or("", |call| &call.text);
            assert!(sent.starts_with(&text), "what is under way is what was sent");
            drop(ledger);
            if page.reading(question).is_none() {
                self.counts.followed += 1;
                page.follow(now, question, &held, text);
            }
        }
        for number in 0..self.questions.len() {
            let question = &self.questions[number];
            if question.page != at || question.ended || page.reading(number).is_some() {
                continue;
            }
            // The tab was loaded anew after the question was acknowledged, or stopped.
            let kept = history.turns.iter().find(|(asked, _)| *asked == question.text);
            assert!(kept.is_some() || question.stopped, "{} was acknowledged and is lost", question.text);
            let answer = kept.and_then(|(_, answer)| answer.clone());
            let ledger = self.ledger.lock().expect("the ledger");
            let calls = || ledger.iter().filter(|call| call.question == question.text);
            let excused = question.stopped || question.crashed.is_some() || calls().all(|call| !call.begun);
            assert!(answer.is_some() || excused, "the answer to {} is lost", question.text);
            drop(ledger);
            self.show(at, number, answer.unwrap_or_default(), End::Kept);
        }
    }

    fn show(&mut self, page: usize, question: usize, text: String, end: End) {
        let question = &mut self.questions[question];
        question.ended |= question.page == page;
        question.shown.push(Shown { text, end });
    }

    /// The proxy has heard of a stop: from now on only what is under way in it may still come.
    pub(crate) fn stop_heard(&mut self, now: u64) {
        if let Some(question) = self.questions.last_mut().filter(|question| question.stopped) {
            question.stop_heard.get_or_insert(now);
        }
    }

    /// A connection that began at `began` has carried on the answer for a while: then it has carried the stop too.
    pub(crate) fn check_told(&self, tab: usize, page: &Page, began: u64) {
        if let Some(question) = self.questions.last()
            && question.stopping.is_some_and(|(stopping, at)| stopping == tab && at < began)
            && page.reading(self.questions.len() - 1).is_some()
        {
            assert!(question.stop_heard.is_some(), "the stop of {} was forgotten with its connection", question.text);
        }
    }

    /// When [`Oracle::check_stops`] is due.
    pub(crate) fn next(&self) -> Option<u64> {
        let question = self.questions.last().filter(|question| question.most_text.is_none())?;
        question.stop_heard.map(|heard| heard + self.stop_ms)
    }

    pub(crate) fn check_stops(&mut self, now: u64) {
        if self.next().is_some_and(|due| due <= now)
            && let Some(question) = self.questions.last_mut()
        {
            let ledger = self.ledger.lock().expect("the ledger");
            question.most_text = Some(content_of(&ledger, &question.text).map_or(0, |call| call.text.len()));
        }
    }

    /// What is kept and billed when all is over.
    pub(crate) async fn check_end(&mut self, kept: &MemoryStore) {
        self.counts.calls += self.ledger.lock().expect("the ledger").len() as u64;
        let session = SessionId::new(SESSION).expect("an id");
        let page = kept.messages(&Owner::local(), &session, None, 100).await;
        let messages = page.map(|page| page.items).unwrap_or_default();
        let open = check_accounts(kept).await;
        let billed = billed(kept).await;
        let ledger = self.ledger.lock().expect("the ledger");
        for call in billed.iter().filter(|call| call.usage.source == UsageSource::Reported) {
            let is_known = |made: &Call| is_reported(made, &call.usage);
            let refused = matches!(call.outcome, CallOutcome::Failed(_)) && call.usage.total_tokens == 0;
            assert!(refused || ledger.iter().any(is_known), "nobody reported {call:?}");
        }
        for question in &self.questions {
            let calls: Vec<_> = ledger.iter().filter(|call| call.question == question.text).collect();
            assert!(calls.len() <= MAX_CALLS, "{} calls for {}", calls.len(), question.text);
            if question.crashed.is_none() {
                let answers = messages.iter().position(|message| message.content == question.text);
                let answer = answers.and_then(|at| messages.get(at + 1)).filter(|next| next.role == Role::Assistant);
                let answer = answer.filter(|answer| !open.contains(&answer.message_id));
                let entries: Vec<_> = billed
                    .iter()
                    .filter(|call| answer.is_some_and(|answer| call.message == answer.message_id))
                    .collect();
                // A process that dies while it reads a stopped answer to its end takes the number of its calls with it.
                let by_another = matches!(entries.as_slice(), [only] if only.duration_ms == 0 && question.stopped);
                let all = answer.is_none() || entries.len() == calls.len();
                assert!(all || by_another, "{} entries of {}", entries.len(), calls.len());
            }
            let begun = calls.iter().position(|call| call.begun);
            assert!(begun.is_none_or(|at| at + 1 == calls.len()), "a second bill after content");
            let elsewhere = calls.iter().any(|call| call.process != calls[0].process);
            assert!(!elsewhere, "a message that was sent again was asked again");
            let kept = question.check_kept(&messages);
            // A process that dies takes little with it.
            if let Some((crashed, call)) = question.crashed.zip(calls.last()).filter(|_| !question.stopped) {
                let old = crashed.saturating_sub(CHECKPOINT_INTERVAL.as_millis() as u64 + self.stop_ms);
                let least = call.sent_by(self.began + Duration::from_millis(old));
                assert!(kept >= least, "{} has {kept} bytes, and should have {least}", question.text);
            }
        }
    }
}

/// What is set aside is what open answers have set aside, and what is spent is what calls have used: each once. Returns what is open.
async fn check_accounts(kept: &MemoryStore) -> Vec<MessageId> {
    let accounts = budgets().accounts(&Owner::local(), Timestamp::from_unix_ms(0));
    let balance = kept.balances(&accounts).await.expect("accounts")[0];
    let open = kept.unfinished(Timestamp::MAX).await.expect("open answers");
    let reserved: u64 = open.iter().map(|answer| answer.opening.reservation.amount.tokens).sum();
    let spent: u64 = billed(kept).await.iter().map(|call| call.usage.total_tokens).sum();
    assert_eq!((balance.reserved.tokens, balance.spent.tokens), (reserved, spent), "set aside and spent");
    open.into_iter().map(|answer| answer.opening.message_id).collect()
}

async fn billed(kept: &MemoryStore) -> Vec<outcrop_proxy::store::Call> {
    let all = CallsOf { organization: None, user: None, from: Timestamp::from_unix_ms(0), to: Timestamp::MAX };
    let page = kept.calls(&all, None).await.expect("calls");
    assert_eq!(page.next, None, "one page has them all");
    page.calls
}

impl Question {
    fn check_whole(&self, call: Option<&Call>, text: &str, usage: &Usage, began: Instant, stop_ms: u64) {
        let call = call.expect("an answer has a call");
        let whole_at = call.whole_at.expect("complete only with messageStop and metadata");
        assert_eq!(text, call.text, "every byte that was sent");
        assert!(is_counted(call, usage), "usage is what was reported: {usage:?} {call:?}");
        let whole_at = (whole_at - began).as_millis() as u64;
        let late = self.stop_heard.is_none_or(|heard| whole_at <= heard + stop_ms);
        assert!(late, "stopped at {:?}, and went on until {whole_at}", self.stop_heard);
    }

    fn check_stopped(&self, call: Option<&Call>, text: &str, usage: &Usage) {
        assert!(self.stopped, "nobody stopped it");
        assert!(self.most_text.is_none_or(|most| text.len() <= most), "text that came after the stop");
        match usage.source {
            UsageSource::Estimated => {}
            UsageSource::Reported if *usage == Usage::default() => {
                assert!(call.is_none(), "an answer that has text has used something");
            }
            UsageSource::Reported => {
                let call = call.expect("what is reported has a call");
                assert!(is_counted(call, usage), "usage is what was reported: {usage:?} {call:?}");
            }
        }
    }

    fn check_failed(&self, call: Option<&Call>, error: &RequestError, began: Instant, stop_ms: u64) {
        if let Some(whole_at) = call.and_then(|call| call.whole_at) {
            let kept_by = (whole_at - began).as_millis() as u64 + stop_ms;
            assert!(self.crashed.is_some_and(|at| at < kept_by), "a whole answer failed: {error:?}");
        }
        if error.code == RequestErrorCode::Proxy(ErrorCode::Interrupted) {
            assert!(self.interrupted, "nothing has interrupted it: {error:?}");
        }
    }

    /// Returns how much of the answer is kept.
    fn check_kept(&self, messages: &[Message]) -> usize {
        let asked = |message: &Message| message.role == Role::User && message.content == self.text;
        let times = messages.iter().filter(|message| asked(message)).count();
        assert!(times <= 1, "{} is kept {times} times", self.text);
        let at = messages.iter().position(asked);
        let answer = at.and_then(|at| messages.get(at + 1)).filter(|message| message.role == Role::Assistant);
        let kept = answer.map_or("", |message| &message.content);
        for Shown { text, end } in &self.shown {
            match end {
                // A message that was stopped and not sent again may have been on its way all the same.
                End::Kept if self.stopped => {
                    assert!(kept.starts_with(text.as_str()), "{} has lost its answer", self.text)
                }
                End::Whole | End::Stopped | End::Kept => {
                    assert_eq!(kept, text, "history is what was shown of {}", self.text);
                }
                End::Failed => {
                    let all = kept.starts_with(text.as_str()) || self.crashed.is_some();
                    assert!(all, "history has less than was shown of {}", self.text);
                }
            }
        }
        kept.len()
    }
}

/// The call that answered a question, if any content of it came.
fn content_of<'a>(ledger: &'a [Call], question: &str) -> Option<&'a Call> {
    ledger.iter().rev().find(|call| call.question == question && call.begun)
}

fn is_reported(call: &Call, usage: &Usage) -> bool {
    let told = (usage.source, usage.input_tokens, usage.output_tokens, usage.total_tokens);
    call.reported.as_ref().is_some_and(|reported| {
        told == (UsageSource::Reported, reported.input_tokens, reported.output_tokens, reported.total_tokens)
    })
}

/// Whether `usage` is that of the call, or more where calls that broke off before it are estimated.
fn is_counted(call: &Call, usage: &Usage) -> bool {
    let at_least = |reported: &Usage| usage.total_tokens > reported.total_tokens;
    is_reported(call, usage) || usage.source == UsageSource::Estimated && call.reported.as_ref().is_some_and(at_least)
}
