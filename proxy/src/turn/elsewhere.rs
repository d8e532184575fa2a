//! Answers that another process makes, followed through what it keeps of them.
//!
//! Their text comes with their checkpoints, at the numbers it has over there, so a client may come from there with any cursor. Their
//! end is known only as the message that is kept: followers are sent that.

use std::{sync::Arc, time::Duration};

use protocol::{ErrorCode, ErrorData, Message, MessageId};
use tokio::time::sleep;
use tracing::warn;

use super::{Runner, Turn, log::End};
use crate::{
    principal::Owner,
    store::{OpenAnswer, Piece, StoreError},
};

/// How often is looked for more of an answer that another process makes.
const FOLLOW_INTERVAL: Duration = Duration::from_secs(1);

/// How often in a row is looked for it though nobody follows it, or though the store fails.
const MAX_IDLE_LOOKS: u32 = 10;

impl Runner {
    /// The answer of this id, if another process makes it.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails.
    pub async fn elsewhere(self: &Arc<Self>, owner: &Owner, id: &MessageId) -> Result<Option<Arc<Turn>>, StoreError> {
        let Some(open) = self.store.open_answer(owner, id).await? else { return Ok(None) };
        if self.store.answer(owner, id).await?.is_some() {
            // It was stopped: what is kept of it is all there will be.
            return Ok(None);
        }
        let turn = Turn::elsewhere(&open);
        if let Some(known) = self.turns.follow_elsewhere(&turn) {
            return Ok(Some(known));
        }
        let (runner, followed) = (self.clone(), turn.clone());
        tokio::spawn(async move { runner.look_for_more(&followed).await });
        Ok(Some(turn))
    }

    async fn look_for_more(&self, turn: &Turn) {
        let (mut idle, mut failed) = (0, 0);
        while idle < MAX_IDLE_LOOKS {
            sleep(FOLLOW_INTERVAL).await;
            idle = if turn.is_watched() { 0 } else { idle + 1 };
            match self.look(turn).await {
                Ok(true) => return,
                Ok(false) => failed = 0,
                Err(error) => {
                    warn!(message_id = %turn.message_id, %error, "an answer of another process cannot be followed");
                    failed += 1;
                    if failed == MAX_IDLE_LOOKS {
                        return turn.append(|log| log.finish(lost(turn)));
                    }
                }
            }
        }
    }

    /// Takes what is new; returns whether that was the end.
    async fn look(&self, turn: &Turn) -> Result<bool, StoreError> {
        let Turn { owner, message_id, .. } = turn;
        if let Some(open) = self.store.open_answer(owner, message_id).await? {
            turn.answer_with(&open.opening.model);
            turn.grow(&open.pieces);
            return Ok(false);
        }
        match self.store.answer(owner, message_id).await? {
            Some((_, message)) => turn.end_elsewhere(message),
            None => turn.append(|log| log.finish(lost(turn))),
        }
        Ok(true)
    }
}

impl Turn {
    /// An answer as far as the process that makes it has kept it.
    fn elsewhere(open: &OpenAnswer) -> Arc<Self> {
        let OpenAnswer { owner, session, request, opening, pieces } = open;
        let turn = Self::empty(
            owner.clone(),
            session.clone(),
            request.clone(),
            opening.message_id.clone(),
            opening.started,
            opening.model.clone(),
        );
        turn.grow(pieces);
        turn.keep_question();
        Arc::new(turn)
    }

    /// Adds what of `pieces` is new.
    fn grow(&self, pieces: &[Piece]) {
        let mut before = self.with_log(|log| log.text_bytes());
        self.append(|log| {
            for piece in pieces {
                if piece.call.is_some() {
                    if piece.seq > log.seq() {
                        log.append_kept(piece.clone());
                    }
                    continue;
                }
                let known = before.min(piece.text.len());
                before -= known;
                if let Some(new) = piece.text.get(known..).filter(|new| !new.is_empty()) {
                    log.append_kept(Piece { text: new.to_owned(), ..piece.clone() });
                }
            }
        });
    }

    /// The answer has ended as `message`.
    fn end_elsewhere(&self, message: Message) {
        let mut shared = self.shared();
        shared.kept_elsewhere = Some(message);
        shared.ring();
    }

    /// What is kept of an answer that has ended in another process.
    pub fn kept_elsewhere(&self) -> Option<Message> {
        self.shared().kept_elsewhere.clone()
    }
}

/// The end of an answer of which nothing is kept.
fn lost(turn: &Turn) -> End {
    let text = "The answer ended in another proxy before anything of it was kept. Ask again.";
    let mut data = ErrorData::new(ErrorCode::Interrupted, text);
    data.message_id = Some(turn.message_id.clone());
    data.seq = Some(turn.with_log(|log| log.seq()) + 1);
    End::Failed(data)
}

#[cfg(test)]
mod tests {
    use protocol::{RequestId, SessionId, Timestamp};

    use super::*;
    use crate::{
        store::{Opening, Reservation},
        turn::log::Batch,
    };

    fn piece(seq: u64, reasoning: bool, part: u32, text: &str) -> Piece {
        Piece { seq, reasoning, part, text: text.into(), call: None }
    }

    fn open(pieces: Vec<Piece>) -> OpenAnswer {
        OpenAnswer {
            owner: Owner::local(),
            session: SessionId::new("s").unwrap(),
            request: RequestId::new("r").unwrap(),
            opening: Opening {
                message_id: MessageId::new("m").unwrap(),
                started: Timestamp::from_unix_ms(0),
                model: "m".into(),
                input_bytes: 0,
                reservation: Reservation::default(),
            },
            pieces,
        }
    }

    fn after(turn: &Turn, after: u64) -> Option<(u64, u64, String)> {
        turn.with_log(|log| match log.read(after)? {
            Batch::Deltas { first, seq, content, .. } => Some((first, seq, content.to_owned())),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn text_has_the_numbers_it_has_in_the_other_process() {
        let reasoning = piece(4, true, 0, "hm");
        let turn = Turn::elsewhere(&open(vec![reasoning.clone(), piece(9, false, 1, "Hello")]));
        assert_eq!(after(&turn, 0), Some((1, 4, "hm".into())));
        assert_eq!(after(&turn, 4), Some((5, 9, "Hello".into())));
        assert_eq!(after(&turn, 7), Some((8, 9, "Hello".into())), "not known any better");
        assert_eq!(after(&turn, 12), None, "a client may have more than was kept");
        turn.grow(&[reasoning, piece(14, false, 1, "Hello there🙂")]);
        assert_eq!(after(&turn, 9), Some((10, 14, " there🙂".into())));
        assert_eq!(turn.message().content, "Hello there🙂");
    }

    #[test]
    fn text_longer_than_a_frame_is_several_events_that_end_at_the_same_number() {
        let long = "ä".repeat(20_000);
        let turn = Turn::elsewhere(&open(vec![piece(900, false, 0, &long)]));
        let (first, seq, content) = after(&turn, 0).unwrap();
        assert_eq!((first, seq, content.len()), (1, 898, 16 * 1024));
        assert_eq!(turn.with_log(|log| log.seq()), 900);
        assert_eq!(turn.message().content, long);
    }
}
