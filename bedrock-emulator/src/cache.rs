//! Input tokens, and which of them Bedrock's prompt cache would have read or written.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::answer::Usage;
use crate::chat::{Block, Chat, Tool};
use crate::model::Model;
use crate::tokens;

/// Tokens of a video, whatever its length.
pub(crate) const VIDEO_TOKENS: u32 = 1_000;
/// Tokens that each message costs beside its content.
pub(crate) const MESSAGE_TOKENS: u32 = 3;
/// Prefixes that are remembered; the oldest goes first.
const MAX_PREFIXES: usize = 4_096;

/// Prefixes that a request ended a cache point on. They do not age: the emulator reads no clock for it.
#[derive(Debug, Default)]
pub(crate) struct PromptCache {
    known: HashSet<u64>,
    order: VecDeque<u64>,
}

impl PromptCache {
    /// Counts a request's input. The longest known prefix is read, the rest up to the last cache point is written.
    pub(crate) fn count(&mut self, model: &Model, chat: &Chat) -> Usage {
        let mut walk = Walk { hasher: DefaultHasher::new(), tokens: 0, points: Vec::new() };
        model.id.hash(&mut walk.hasher);
        for tool in &chat.tools {
            match tool {
                Tool::Spec { name, description, schema } => {
                    walk.text(&format!("{name} {} {schema}", description.as_deref().unwrap_or_default()));
                }
                Tool::CachePoint { one_hour } => walk.point(*one_hour),
            }
        }
        walk.blocks(&chat.system);
        for message in &chat.messages {
            walk.blocks(&message.blocks);
            walk.tokens = walk.tokens.saturating_add(MESSAGE_TOKENS);
        }
        walk.points.retain(|point| point.tokens >= model.cache_min_tokens);
        let read =
            walk.points.iter().rev().find(|point| self.known.contains(&point.hash)).map_or(0, |point| point.tokens);
        let cached = walk.points.last().map_or(0, |point| point.tokens);
        let cache_write_one_hour = walk.points.iter().any(|point| point.one_hour);
        for point in walk.points {
            self.remember(point.hash);
        }
        Usage {
            input_tokens: walk.tokens - cached,
            output_tokens: 0,
            cache_read_input_tokens: read,
            cache_write_input_tokens: cached - read,
            cache_write_one_hour,
        }
    }

    fn remember(&mut self, hash: u64) {
        if self.known.insert(hash) {
            self.order.push_back(hash);
            if self.order.len() > MAX_PREFIXES
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
        }
    }
}

struct Point {
    hash: u64,
    tokens: u32,
    one_hour: bool,
}

struct Walk {
    hasher: DefaultHasher,
    tokens: u32,
    points: Vec<Point>,
}

impl Walk {
    fn text(&mut self, text: &str) {
        text.hash(&mut self.hasher);
        self.tokens = self.tokens.saturating_add(tokens::count(text));
    }

    fn media(&mut self, bytes: &[u8], tokens: u32) {
        bytes.hash(&mut self.hasher);
        self.tokens = self.tokens.saturating_add(tokens);
    }

    fn point(&mut self, one_hour: bool) {
        self.points.push(Point { hash: self.hasher.finish(), tokens: self.tokens, one_hour });
    }

    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            match block {
                Block::Text(text) | Block::Reasoning { text, .. } => self.text(text),
                Block::Redacted(bytes) => self.media(bytes, 1),
                Block::ToolUse { name, input, .. } => self.text(&format!("{name} {input}")),
                Block::ToolResult { content, .. } => self.blocks(content),
                Block::Json(value) => self.text(&value.to_string()),
                Block::Image(image) => self.media(&image.bytes, image.tokens()),
                Block::Document(document) => self.media(&document.bytes, document.tokens()),
                Block::Video => self.media(b"video", VIDEO_TOKENS),
                Block::CachePoint { one_hour } => self.point(*one_hour),
                Block::Other => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Message, Role};

    fn chat(system: &str, prompt: &str) -> Chat {
        let system = vec![Block::Text(system.to_owned()), Block::CachePoint { one_hour: false }];
        let message = Message { role: Role::User, blocks: vec![Block::Text(prompt.to_owned())] };
        Chat { system, messages: vec![message], ..Chat::default() }
    }

    #[test]
    fn a_prefix_is_written_once_and_read_after_that() {
        let model = crate::model::find("anthropic.claude-sonnet-4-6").expect("row");
        let mut cache = PromptCache::default();
        let long = "word ".repeat(2_000);
        let first = cache.count(model, &chat(&long, "one"));
        assert!(first.cache_write_input_tokens >= 2_000 && first.cache_read_input_tokens == 0);
        assert_eq!(first.input_tokens, 1 + MESSAGE_TOKENS);
        let second = cache.count(model, &chat(&long, "another one"));
        assert_eq!(
            (second.cache_read_input_tokens, second.cache_write_input_tokens),
            (first.cache_write_input_tokens, 0)
        );
    }

    #[test]
    fn a_prefix_below_the_models_minimum_is_not_cached() {
        let model = crate::model::find("anthropic.claude-sonnet-4-6").expect("row");
        let usage = PromptCache::default().count(model, &chat("short", "one"));
        assert_eq!(usage.cache_write_input_tokens, 0);
        assert_eq!(usage.input_tokens, 1 + 1 + MESSAGE_TOKENS);
    }
}
