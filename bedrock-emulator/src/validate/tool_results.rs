//! Tool uses and the results that answer them.

use std::collections::HashSet;

use crate::chat::{Block, Dialect, Message, Role};
use crate::error::ApiError;

/// All uses of an assistant's turn are answered in the next turn, which is the user's, and nothing else is.
pub(super) fn check(messages: &[Message], dialect: Dialect) -> Result<(), ApiError> {
    let mut known = HashSet::new();
    for (i, message) in messages.iter().enumerate() {
        let used = uses(Some(message));
        if let Some(id) = repeated(&used) {
            return Err(twice(i, "toolUse", id, dialect));
        }
        for (j, block) in message.blocks.iter().enumerate() {
            let Block::ToolUse { id, .. } = block else { continue };
            if !known.insert(id.as_str()) {
                return Err(ApiError::from_model(format!("messages.{i}.content.{j}: `tool_use` ids must be unique")));
            }
        }
        roles(message, i)?;
        results(message, i.checked_sub(1).map(|i| &messages[i]), i, dialect)?;
    }
    match messages.last() {
        Some(last) if !uses(Some(last)).is_empty() => Err(unanswered(messages.len(), &uses(Some(last)), dialect)),
        _ => Ok(()),
    }
}

fn uses(message: Option<&Message>) -> Vec<&str> {
    let blocks = message.map_or(&[][..], |message| &message.blocks);
    blocks
        .iter()
        .filter_map(|block| if let Block::ToolUse { id, .. } = block { Some(id.as_str()) } else { None })
        .collect()
}

fn repeated<'a>(ids: &[&'a str]) -> Option<&'a str> {
    let mut seen = HashSet::new();
    ids.iter().find(|id| !seen.insert(**id)).copied()
}

fn roles(message: &Message, i: usize) -> Result<(), ApiError> {
    let wrong = message.blocks.iter().find_map(|block| match (block, message.role) {
        (Block::ToolUse { .. }, Role::User) => Some("`tool_use` blocks can only be in `assistant` messages"),
        (Block::ToolResult { .. }, Role::Assistant) => Some("`tool_result` blocks can only be in `user` messages"),
        _ => None,
    });
    wrong.map_or(Ok(()), |wrong| Err(ApiError::from_model(format!("messages.{i}: {wrong}"))))
}

fn results(message: &Message, before: Option<&Message>, i: usize, dialect: Dialect) -> Result<(), ApiError> {
    let expected = uses(before);
    let given: Vec<&str> = message.tool_results().map(|(id, ..)| id).collect();
    let missing: Vec<&str> = expected.iter().filter(|id| !given.contains(id)).copied().collect();
    if !missing.is_empty() {
        return Err(unanswered(i, &missing, dialect));
    }
    if let Some(id) = repeated(&given) {
        return Err(twice(i, "toolResult", id, dialect));
    }
    match (given.iter().find(|id| !expected.contains(id)), dialect) {
        (Some(_), Dialect::Converse) => {
            return Err(ApiError::validation(format!(
                "The number of toolResult blocks at messages.{i}.content exceeds the number of toolUse blocks of previous turn."
            )));
        }
        (Some(id), Dialect::Messages) => {
            return Err(ApiError::validation(format!(
                "messages.{i}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
            )));
        }
        (None, _) => {}
    }
    let is_result = |block: &Block| matches!(block, Block::ToolResult { .. });
    let says = message.blocks.iter().position(|block| !is_result(block) && !matches!(block, Block::CachePoint { .. }));
    let late = message.blocks.iter().rposition(is_result);
    if says.zip(late).is_some_and(|(says, late)| says < late) {
        return Err(ApiError::from_model(after_text(i, &expected)));
    }
    contents(message, i, dialect)
}

/// What a tool gave back is not empty, nor are its texts.
fn contents(message: &Message, i: usize, dialect: Dialect) -> Result<(), ApiError> {
    for (j, block) in message.blocks.iter().enumerate() {
        let Block::ToolResult { content, failed, .. } = block else { continue };
        let blank = content.iter().any(|block| matches!(block, Block::Text(text) if text.trim().is_empty()));
        if blank {
            return Err(ApiError::from_model("messages: text content blocks must be non-empty"));
        }
        if !content.is_empty() || dialect == Dialect::Messages && !failed {
            continue;
        }
        let at = format!("messages.{i}.content.{j}.toolResult");
        return Err(ApiError::validation(if *failed {
            format!("The content field at {at} cannot be empty when status value is error.")
        } else {
            format!(
                "The content field in the ToolResultBlock object at {at} is empty. Add a ToolResultContentBlock object to the content field and try again."
            )
        }));
    }
    Ok(())
}

fn twice(i: usize, kind: &str, id: &str, dialect: Dialect) -> ApiError {
    ApiError::validation(match (dialect, kind) {
        (Dialect::Converse, _) => format!("The {kind} blocks at messages.{i}.content contain duplicate Ids: {id}"),
        (Dialect::Messages, "toolUse") => format!("messages.{i}.content: `tool_use` ids must be unique"),
        (Dialect::Messages, _) => {
            format!(
                "messages.{i}: each tool_use must have a single result. Found multiple `tool_result` blocks with id: {id}"
            )
        }
    })
}

fn unanswered(i: usize, ids: &[&str], dialect: Dialect) -> ApiError {
    ApiError::validation(match dialect {
        Dialect::Converse => {
            format!("Expected toolResult blocks at messages.{i}.content for the following Ids: {}", ids.join(", "))
        }
        Dialect::Messages => after_text(i, ids),
    })
}

fn after_text(i: usize, ids: &[&str]) -> String {
    format!(
        "messages.{}: `tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
        i.saturating_sub(1),
        ids.join(", "),
    )
}
