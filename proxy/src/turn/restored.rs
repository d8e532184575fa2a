//! An answer out of the store, as a turn: one that has ended, for whoever sends its message again, or one whose process has.

use protocol::{Message, Part, RequestId, SessionId, StopReason, codec::StreamKind};

use super::{
    Turn,
    log::{End, LogFull, TurnLog},
};
use crate::{
    principal::Owner,
    store::{OpenAnswer, Opening},
};

impl Turn {
    /// The turn of the stored `answer`. Its events are numbered anew.
    ///
    /// # Errors
    /// [`LogFull`] for an answer that is longer than any may be.
    pub fn restored(
        owner: &Owner,
        session_id: SessionId,
        request_id: RequestId,
        answer: Message,
    ) -> Result<Self, LogFull> {
        let Message { message_id, content, timestamp, usage, model, stop_reason, parts, error, .. } = answer;
        let mut log = TurnLog::default();
        if parts.is_empty() {
            log.append(StreamKind::Text, 0, &content)?;
        }
        for (block, part) in (0..).zip(&parts) {
            match part {
                Part::Text { text } => log.append(StreamKind::Text, block, text)?,
                Part::Reasoning { text } => log.append(StreamKind::Reasoning, block, text)?,
                Part::ToolUse(call) => log.call(call.clone())?,
            }
        }
        let end = match error {
            Some(mut error) => {
                error.message_id = Some(message_id.clone());
                error.seq = Some(log.seq() + 1);
                End::Failed(error)
            }
            None => End::Complete {
                stop_reason: stop_reason.unwrap_or(StopReason::Other),
                usage: usage.unwrap_or_default(),
            },
        };
        log.finish(end);
        let turn = Self::empty(owner.clone(), session_id, request_id, message_id, timestamp, model.unwrap_or_default());
        turn.append(|empty| *empty = log);
        turn.keep_question();
        Ok(turn)
    }

    /// The turn of an answer whose process ended before it did, as far as it was kept.
    ///
    /// # Errors
    /// [`LogFull`] for an answer that is longer than any may be.
    pub fn unfinished(answer: OpenAnswer) -> Result<Self, LogFull> {
        let OpenAnswer { owner, session, request, opening, pieces } = answer;
        let Opening { message_id, started, model, .. } = opening;
        let mut log = TurnLog::default();
        for piece in &pieces {
            match &piece.call {
                Some(call) => log.call(call.clone())?,
                None => {
                    let kind = if piece.reasoning { StreamKind::Reasoning } else { StreamKind::Text };
                    log.append(kind, piece.part, &piece.text)?;
                }
            }
        }
        let turn = Self::empty(owner, session, request, message_id, started, model);
        turn.append(|empty| *empty = log);
        turn.keep_question();
        Ok(turn)
    }
}
