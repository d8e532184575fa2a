//! What of an answer the model is sent with the next question.

use protocol::Role;

use crate::{
    conversation::{Block, Turn},
    store::MAX_TURNS_BYTES,
};

/// The turns of one answer so far.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    turns: Vec<Turn>,
    bytes: usize,
}

impl Transcript {
    /// Adds what one side said.
    pub(super) fn push(&mut self, role: Role, blocks: Vec<Block>) {
        self.bytes += blocks.iter().map(Block::bytes).sum::<usize>();
        self.turns.push(Turn { role, blocks });
    }

    /// How many bytes more there is room for.
    pub(super) fn room(&self) -> usize {
        MAX_TURNS_BYTES.saturating_sub(self.bytes)
    }

    /// All of it, for an answer whose last round brought the text `rest`, which is there already where that round has ended; nothing where
    /// the answer is just text, or too long.
    pub(super) fn turns(&self, rest: String) -> Vec<Turn> {
        let is_plain = |turn: &Turn| turn.blocks.iter().all(|block| matches!(block, Block::Text { .. }));
        if self.turns.iter().all(is_plain) || self.bytes > MAX_TURNS_BYTES {
            return Vec::new();
        }
        let mut turns = self.turns.clone();
        let is_amid_round = self.turns.last().is_some_and(|turn| turn.role == Role::User);
        if is_amid_round && !rest.trim().is_empty() {
            turns.push(Turn::saying(Role::Assistant, &rest));
        }
        turns
    }
}
