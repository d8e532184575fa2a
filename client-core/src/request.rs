//! One request, from the call to its end.

use protocol::{
    RequestId, StopReason, ToolUse, Usage,
    codec::{StreamDecoder, StreamKind},
    server::StatusState,
};

use crate::{Handle, RequestError, Time, answer::Progress};

/// How a message is sent, or a question again.
#[derive(Debug, Clone, Copy, Default)]
pub struct SendOptions<'a> {
    /// Whether the answer is followed with [`Client::take`](crate::Client::take), as it is made, or comes as one reply. Must be
    /// what the `data` says.
    pub streaming: bool,
    /// The session in the `data`, if there is one.
    pub session_id: Option<&'a str>,
    /// The model in the `data`, if there is one.
    pub model: Option<&'a str>,
    /// The message's idempotency key, for a caller who may have to send the same message again after the page was loaded anew: a
    /// [`RequestId`] that no message under way has, and best a random one. It holds within the session, which should be named then.
    /// Without one the client gives out its own.
    pub id: Option<&'a str>,
    /// Whether the message may have been sent before under its id, by the page before it was loaded anew: then the proxy has to hear of
    /// a stop, even one that comes before there is a connection.
    pub resent: bool,
}

/// What is new of an answer.
#[derive(Debug)]
pub struct News<'a> {
    /// The conversation; empty while it is not known.
    pub session_id: &'a str,
    /// The answer; empty while it is not known.
    pub message_id: &'a str,
    /// What is new.
    pub piece: Piece<'a>,
}

/// A piece of an answer. [`Piece::Done`] or [`Piece::Failed`] is the last.
#[derive(Debug)]
pub enum Piece<'a> {
    /// More text.
    Text(&'a str),
    /// More reasoning.
    Reasoning(&'a str),
    /// A call of a tool, as it stands now.
    Tool(&'a ToolUse),
    /// What the answer is waiting for.
    Status {
        /// What for.
        state: StatusState,
        /// When Bedrock is asked again, in milliseconds.
        retry_in_ms: Option<u64>,
    },
    /// It is whole, or was stopped.
    Done {
        /// All its text.
        content: String,
        /// Why it ended.
        stop_reason: StopReason,
        /// What it used.
        usage: &'a Usage,
    },
    /// It failed.
    Failed(&'a RequestError),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An answer, followed as it is made.
    Stream,
    /// An answer, awaited whole.
    Whole,
    /// Anything else with one reply.
    Call,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancel {
    No,
    Wanted,
    Sent,
}

#[derive(Debug)]
pub(crate) enum End {
    Done { stop_reason: StopReason, usage: Usage },
    Failed(RequestError),
}

#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) handle: Handle,
    pub(crate) kind: Kind,
    /// The id of its frame, if the caller chose it; else it is made of the handle.
    pub(crate) chosen_id: Option<RequestId>,
    /// The text to send, and to send again while the proxy has not named the answer.
    pub(crate) frame: String,
    pub(crate) model: Option<String>,
    /// Sent on the present socket.
    pub(crate) sent: bool,
    /// Sent on any socket: the proxy may know it.
    pub(crate) ever_sent: bool,
    pub(crate) cancel: Cancel,
    /// An answer that somebody else asked for.
    pub(crate) followed: bool,
    /// Nobody waits for it any more; it is kept for its usage.
    pub(crate) released: bool,
    pub(crate) session_id: String,
    pub(crate) message_id: String,
    pub(crate) progress: Progress,
    /// How the frames of its stream begin, and what they say more of.
    pub(crate) decoder: StreamDecoder,
    pub(crate) decodes: StreamKind,
    pub(crate) received_bytes: usize,
    pub(crate) status: Option<(StatusState, Option<u64>)>,
    /// The frame and the time of a `chat.resume` that is not answered yet.
    pub(crate) resume: Option<(Handle, Time)>,
    /// Events are known to be missing. After a reconnect a `chat.resume` may rightly bring nothing for a long time; this is not that.
    pub(crate) gap: bool,
    /// [`Output::News`](crate::Output::News) was said and nothing taken since.
    pub(crate) announced: bool,
    pub(crate) end: Option<End>,
}

impl Request {
    pub(crate) fn new(handle: Handle, kind: Kind, frame: String) -> Self {
        Self {
            handle,
            kind,
            chosen_id: None,
            frame,
            model: None,
            sent: false,
            ever_sent: false,
            cancel: Cancel::No,
            followed: false,
            released: false,
            session_id: String::new(),
            message_id: String::new(),
            progress: Progress::default(),
            decoder: StreamDecoder::default(),
            decodes: StreamKind::Text,
            received_bytes: 0,
            status: None,
            resume: None,
            gap: false,
            announced: false,
            end: None,
        }
    }

    /// An answer that somebody else asked for: it is resumed, never sent.
    pub(crate) fn followed(handle: Handle, session_id: &str, message_id: &str, progress: Progress) -> Self {
        let (session_id, message_id) = (session_id.to_owned(), message_id.to_owned());
        let asked = Self::new(handle, Kind::Stream, String::new());
        Self { followed: true, ever_sent: true, session_id, message_id, progress, ..asked }
    }

    /// Whether its end is awaited from the present socket.
    pub(crate) fn in_flight(&self) -> bool {
        self.sent && self.end.is_none()
    }

    /// Takes the names the proxy gave to the answer. What was asked is not needed any more: it is resumed by its name.
    pub(crate) fn name(&mut self, session_id: &str, message_id: &str) {
        if self.session_id != session_id && !session_id.is_empty() {
            session_id.clone_into(&mut self.session_id);
        }
        if self.message_id.is_empty() && !message_id.is_empty() && self.kind == Kind::Stream {
            message_id.clone_into(&mut self.message_id);
            self.frame = String::new();
        }
    }

    /// The events that were asked for have come, or belong to a socket that is lost.
    pub(crate) fn caught_up(&mut self) {
        self.resume = None;
        self.gap = false;
    }

    /// Forgets what belonged to the socket that is lost.
    pub(crate) fn lose_socket(&mut self) {
        self.sent = false;
        self.caught_up();
        if self.cancel == Cancel::Sent {
            self.cancel = Cancel::Wanted;
        }
    }

    /// Gives what is new.
    pub(crate) fn take(&mut self, mut visit: impl for<'a> FnMut(News<'a>)) {
        self.announced = false;
        let Self { session_id, message_id, progress, status, end, .. } = self;
        let mut visit = |piece: Piece<'_>| visit(News { session_id, message_id, piece });
        progress.take(&mut visit);
        if let Some((state, retry_in_ms)) = status.take()
            && end.is_none()
        {
            visit(Piece::Status { state, retry_in_ms });
        }
        match end {
            None => {}
            Some(End::Done { stop_reason, usage }) => {
                visit(Piece::Done { content: progress.answer().text(), stop_reason: *stop_reason, usage });
            }
            Some(End::Failed(error)) => visit(Piece::Failed(error)),
        }
    }
}
