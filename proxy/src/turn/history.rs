//! From what a conversation holds to what Bedrock accepts.
//!
//! Bedrock wants a conversation that starts with the user, alternates, has no blank text, and gives every call of a tool its result in the
//! very next turn, all of them together and nothing before them. A stored one can have answers that failed before anything of them
//! came or with nothing but reasoning, messages sent twice after a failure, answers that were cut short in the middle of a call, and
//! calls of tools that are not there any more. This is the one place where that is repaired, before every call.

use std::collections::{HashMap, HashSet};

use outcrop_tools::wire_name_of;
use protocol::{Message, Part, RawJson, Role, StopReason, ToolResult, ToolUse};

use crate::{
    conversation::{Block, Turn},
    store::Kept,
};

/// The most text of one result of a tool that is sent again with later questions, in bytes; the answer that was made of it is there too.
pub const OLD_RESULT_BYTES: usize = 4 * 1024;

/// The most images and documents of a conversation that are sent, the latest; more than five documents Bedrock refuses.
pub const MAX_IMAGES: usize = 20;

/// See [`MAX_IMAGES`].
pub const MAX_DOCUMENTS: usize = 5;

/// Whom a conversation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader<'a> {
    /// The model. What another one reasoned is not sent to it: it could not tell that from forgery.
    pub model: &'a str,
    /// Whether it is offered tools. Without any, calls of tools are told in words: Bedrock refuses them otherwise.
    pub has_tools: bool,
}

/// The conversation to send. What a guardrail blocked, question and answer, is left out: it looks at all that is sent, and would block
/// every further message for it. Of the rest of `messages`, oldest first, at most the last `limit`, and whole turns only, so that it starts with
/// the user. The last message must be the user's; the result then ends with it, and is empty only if it is blank.
pub fn conversation(messages: &[Kept], limit: usize, reader: Reader<'_>) -> Vec<Turn> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    for kept in messages {
        let message = &kept.message;
        if message.stop_reason == Some(StopReason::GuardrailIntervened) {
            exchanges.pop_if(|exchange| exchange.answer.is_empty());
            continue;
        }
        let turns = said(kept, reader);
        if turns.is_empty() {
            continue;
        }
        match (message.role, exchanges.last_mut()) {
            (Role::User, Some(last)) if last.answer.is_empty() => ask(&mut last.question, turns),
            (Role::User, _) => {
                let mut question = Vec::new();
                ask(&mut question, turns);
                exchanges.push(Exchange { question, answer: Vec::new() });
            }
            (Role::Assistant, Some(last)) => last.answer.extend(turns),
            // An answer to nothing.
            (Role::Assistant, None) => {}
        }
    }
    if let Some(last) = exchanges.last_mut() {
        last.answer.clear();
    }
    let mut start = exchanges.len();
    let mut count = 0;
    while let Some(exchange) = start.checked_sub(1).map(|before| &exchanges[before]) {
        count += 1 + usize::from(!exchange.answer.is_empty());
        if count > limit && start < exchanges.len() {
            break;
        }
        start -= 1;
    }
    let turns = exchanges.into_iter().skip(start).flat_map(|mut exchange| {
        exchange.answer.iter_mut().flat_map(|turn| &mut turn.blocks).for_each(shorten);
        let question = Turn { role: Role::User, blocks: exchange.question };
        std::iter::once(question).chain(exchange.answer)
    });
    let mut turns = alternating(pair(alternating(turns.collect())));
    bound_files(&mut turns);
    turns
}

/// What the model has just said, as it is sent back with what its tools returned.
pub fn sendable(blocks: Vec<Block>) -> Vec<Block> {
    blocks.into_iter().filter_map(|block| fitting(block, Role::Assistant, true, true)).collect()
}

/// A question, and what came of it.
struct Exchange {
    question: Vec<Block>,
    answer: Vec<Turn>,
}

/// What a message says, for the model.
fn said(kept: &Kept, reader: Reader<'_>) -> Vec<Turn> {
    let message = &kept.message;
    let is_own = message.model.as_deref() == Some(reader.model);
    let mut turns = match (kept.turns.is_empty(), has_calls(message)) {
        (false, _) => kept.turns.clone(),
        (true, true) => of_parts(&message.parts),
        (true, false) => {
            vec![Turn::saying(message.role, &message.content)]
        }
    };
    for turn in &mut turns {
        let blocks = std::mem::take(&mut turn.blocks);
        let fits = blocks.into_iter().filter_map(|block| fitting(block, turn.role, is_own, reader.has_tools));
        turn.blocks = fits.collect();
        if message.role == Role::User {
            // Nobody called anything before it.
            turn.blocks.retain(|block| !matches!(block, Block::ToolResult { .. }));
        }
    }
    turns.retain(|turn| !turn.blocks.is_empty());
    turns
}

fn has_calls(message: &Message) -> bool {
    message.role == Role::Assistant && message.parts.iter().any(|part| matches!(part, Part::ToolUse(_)))
}

/// An answer with tools of which only that is kept what people see.
fn of_parts(parts: &[Part]) -> Vec<Turn> {
    let mut turns = Vec::new();
    let mut push = |role, block| match turns.last_mut() {
        Some(Turn { role: last, blocks }) if *last == role => blocks.push(block),
        _ => turns.push(Turn { role, blocks: vec![block] }),
    };
    for part in parts {
        match part {
            Part::Text { text } => push(Role::Assistant, Block::Text { text: text.clone() }),
            Part::Reasoning { .. } => {}
            Part::ToolUse(call) => {
                let (id, name) = (call.tool_use_id.to_string(), qualified(call));
                push(Role::Assistant, Block::ToolUse { id: id.clone(), name, input: call.input.clone() });
                let shown = call.result.as_ref().and_then(|json| serde_json::from_str(json.as_str()).ok());
                let ToolResult { text, .. } = shown.unwrap_or_default();
                let failed = call.status != protocol::ToolStatus::Succeeded;
                let content = vec![Block::Text { text }];
                push(Role::User, Block::ToolResult { id, content, failed });
            }
        }
    }
    turns
}

/// The name of a tool as it is kept.
pub fn qualified(call: &ToolUse) -> String {
    match &call.server {
        Some(server) => format!("{server}/{}", call.name),
        None => call.name.clone(),
    }
}

/// A block as it is sent; none of what cannot be.
fn fitting(block: Block, role: Role, is_own: bool, has_tools: bool) -> Option<Block> {
    let text = |text: &str| {
        let text = text.trim();
        (!text.is_empty()).then(|| Block::Text { text: text.to_owned() })
    };
    match (block, role) {
        (Block::Text { text: all }, _) => text(&all),
        (block @ Block::Reasoning { signature: Some(_), .. }, Role::Assistant) if is_own => Some(block),
        (block @ Block::RedactedReasoning { .. }, Role::Assistant) if is_own => Some(block),
        (Block::Reasoning { .. } | Block::RedactedReasoning { .. }, _) => None,
        (Block::ToolUse { name, input, .. }, Role::Assistant) if !has_tools => {
            text(&format!("[The tool {name} was called with {}]", input.as_str()))
        }
        (Block::ToolUse { id, name, input }, Role::Assistant) => {
            let name = wire_name_of(&name);
            Some(Block::ToolUse { id, name, input: object(input) })
        }
        (Block::ToolResult { content, .. }, Role::User) if !has_tools => {
            let words = |block: &Block| match block {
                Block::Text { text } => Some(text.clone()),
                _ => None,
            };
            let texts: Vec<_> = content.iter().filter_map(words).collect();
            text(&format!("[It returned: {}]", cut(&texts.join("\n"))))
        }
        (Block::ToolResult { id, content, failed }, Role::User) => Some(Block::ToolResult { id, content, failed }),
        (block @ (Block::Image { .. } | Block::Document { .. }), Role::User) => Some(block),
        (Block::ToolUse { .. }, Role::User) | (_, Role::Assistant) => None,
    }
}

/// Adds what the user says to what the user has said. The same again is a retry after a failure, not more to say.
fn ask(question: &mut Vec<Block>, turns: Vec<Turn>) {
    let blocks: Vec<Block> = turns.into_iter().flat_map(|turn| turn.blocks).collect();
    if question.ends_with(&blocks) {
        return;
    }
    // What was asked before was never answered, perhaps because of its files.
    for block in question.iter_mut() {
        if matches!(block, Block::Image { .. } | Block::Document { .. }) {
            *block = note("A file was here.");
        }
    }
    for block in blocks {
        match (question.last_mut(), block) {
            (Some(Block::Text { text: said }), Block::Text { text }) => {
                said.push_str("\n\n");
                said.push_str(&text);
            }
            (_, block) => question.push(block),
        }
    }
}

/// Joins turns of one side that follow each other.
fn alternating(turns: Vec<Turn>) -> Vec<Turn> {
    let mut joined: Vec<Turn> = Vec::new();
    for turn in turns {
        match joined.last_mut() {
            Some(last) if last.role == turn.role => last.blocks.extend(turn.blocks),
            _ => joined.push(turn),
        }
    }
    joined
}

/// Gives every call its result, first in the turn that follows, and takes away results without a call. `turns` alternate.
fn pair(turns: Vec<Turn>) -> Vec<Turn> {
    let mut paired = Vec::new();
    let mut ids = HashSet::new();
    let mut open: Vec<String> = Vec::new();
    for mut turn in turns {
        if turn.role == Role::Assistant {
            turn.blocks.retain(|block| match block {
                Block::ToolUse { id, .. } => ids.insert(id.clone()),
                _ => true,
            });
            open = turn.blocks.iter().filter_map(called).collect();
        } else {
            let (results, rest): (Vec<_>, Vec<_>) =
                turn.blocks.into_iter().partition(|block| matches!(block, Block::ToolResult { .. }));
            turn.blocks =
                std::mem::take(&mut open).into_iter().map(|id| result_of(&id, &results)).chain(rest).collect();
        }
        if !turn.blocks.is_empty() {
            paired.push(turn);
        }
    }
    if !open.is_empty() {
        let blocks = open.iter().map(|id| result_of(id, &[])).collect();
        paired.push(Turn { role: Role::User, blocks });
    }
    paired
}

fn called(block: &Block) -> Option<String> {
    match block {
        Block::ToolUse { id, .. } => Some(id.clone()),
        _ => None,
    }
}

/// The result of the call `of`, never empty.
fn result_of(of: &str, results: &[Block]) -> Block {
    let known = results.iter().find_map(|block| match block {
        Block::ToolResult { id, content, failed } if id == of => Some((content.clone(), *failed)),
        _ => None,
    });
    let unknown = "It is not known what came of this call: the answer was ended before.";
    let (mut content, failed) = known.unwrap_or((vec![Block::Text { text: unknown.to_owned() }], true));
    content.retain(|block| match block {
        Block::Text { text } => !text.trim().is_empty(),
        Block::Image { data, .. } | Block::Document { data, .. } => !data.is_empty(),
        _ => false,
    });
    if content.is_empty() {
        content.push(Block::Text { text: "(It returned nothing.)".to_owned() });
    }
    Block::ToolResult { id: of.to_owned(), content, failed }
}

/// Makes the result of an earlier question's call shorter.
fn shorten(block: &mut Block) {
    let Block::ToolResult { content, .. } = block else { return };
    for block in content {
        match block {
            Block::Text { text } => *text = cut(text),
            Block::Image { .. } => *block = note("An image was here."),
            Block::Document { name, .. } => *block = note(&format!("The document {name} was here.")),
            _ => {}
        }
    }
}

fn cut(text: &str) -> String {
    if text.len() <= OLD_RESULT_BYTES {
        return text.to_owned();
    }
    format!("{}… (there was more)", &text[..text.floor_char_boundary(OLD_RESULT_BYTES)])
}

fn note(text: &str) -> Block {
    Block::Text { text: format!("[{text}]") }
}

/// An object, since a call's arguments are one.
fn object(input: RawJson) -> RawJson {
    let is_object = input.as_str().trim_start().starts_with('{');
    if is_object { input } else { RawJson::default() }
}

/// Keeps as many images and documents as may be, the latest, and gives each document a name that Bedrock takes, no two the same.
fn bound_files(turns: &mut [Turn]) {
    let (mut images, mut documents) = (0, 0);
    let mut names: HashMap<String, usize> = HashMap::new();
    for block in turns.iter_mut().rev().flat_map(|turn| turn.blocks.iter_mut().rev()) {
        let inner: &mut [Block] = match block {
            Block::ToolResult { content, .. } => content,
            block => std::slice::from_mut(block),
        };
        for block in inner.iter_mut().rev() {
            match block {
                Block::Image { .. } => {
                    images += 1;
                    if images > MAX_IMAGES {
                        *block = note("An image was here.");
                    }
                }
                Block::Document { name, .. } => {
                    documents += 1;
                    if documents > MAX_DOCUMENTS {
                        *block = note(&format!("The document {name} was here."));
                    } else {
                        let plain = document_name(name);
                        let count = names.entry(plain.clone()).or_default();
                        *count += 1;
                        *name = if *count == 1 { plain } else { format!("{plain} ({count})") };
                    }
                }
                _ => {}
            }
        }
    }
}

/// A name that Bedrock takes of a document: letters and digits, single blanks, hyphens, parentheses and square brackets.
///
/// Source: the DocumentBlock page of the Bedrock Runtime API reference.
fn document_name(name: &str) -> String {
    const MAX_CHARS: usize = 100;
    let allowed = |c: char| if c.is_ascii_alphanumeric() || "-()[]".contains(c) { c } else { ' ' };
    let plain: String = name.chars().map(allowed).collect();
    let plain: String = plain.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_CHARS).collect();
    if plain.trim().is_empty() { "document".to_owned() } else { plain.trim().to_owned() }
}

#[cfg(test)]
mod tests;
