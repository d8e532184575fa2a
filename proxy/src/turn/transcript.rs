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
        self.bytes += blocks.iter().map(size).sum::<usize>();
        self.turns.push(Turn { role, blocks });
    }

    /// How many bytes more there is room for, as they are kept.
    pub(super) fn room(&self) -> usize {
        MAX_TURNS_BYTES.saturating_sub(self.bytes)
    }

    /// All of it, for an answer that ends with `rest`, which was not added; nothing where it is just text, or too long.
    pub(super) fn turns(&self, rest: String) -> Vec<Turn> {
        let is_plain = |turn: &Turn| turn.blocks.iter().all(|block| matches!(block, Block::Text { .. }));
        if self.turns.iter().all(is_plain) || self.bytes > MAX_TURNS_BYTES {
            return Vec::new();
        }
        let mut turns = self.turns.clone();
        if !rest.trim().is_empty() {
            turns.push(Turn { role: Role::Assistant, blocks: vec![Block::Text { text: rest }] });
        }
        turns
    }
}

/// About how many bytes a block has as it is kept.
pub(super) fn size(block: &Block) -> usize {
    const FRAME: usize = 64;
    FRAME
        + match block {
            Block::Text { text } => text.len(),
            Block::Reasoning { text, signature } => text.len() + signature.as_ref().map_or(0, String::len),
            Block::RedactedReasoning { data } => in_base64(data.len()),
            Block::ToolUse { id, name, input } => id.len() + name.len() + input.as_str().len(),
            Block::ToolResult { id, content, .. } => id.len() + content.iter().map(size).sum::<usize>(),
            Block::Image { data, .. } | Block::Document { data, .. } => in_base64(data.len()),
        }
}

fn in_base64(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}
