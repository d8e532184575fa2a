//! The rules that a request must keep, and the words in which Bedrock says that it does not.

use std::collections::HashSet;

use crate::chat::{Block, Chat, Dialect, Message, Role, Tool, ToolChoice};
use crate::error::ApiError;
use crate::model::Model;

/// The message of a context overflow.
pub(crate) const TOO_LONG: &str = "Input is too long for requested model.";
const MAX_CACHE_POINTS: usize = 4;
const MAX_TOOL_NAME_CHARS: usize = 64;
/// Smallest `budget_tokens` of extended thinking.
const MIN_THINKING_TOKENS: u64 = 1_024;

/// Checks everything but the length of the input.
pub(crate) fn check(chat: &Chat, model: &Model, dialect: Dialect) -> Result<(), ApiError> {
    if let Some(guardrail) = &chat.guardrail {
        guardrail.check()?;
    }
    tools(chat, model)?;
    conversation(chat, model, dialect)?;
    cache_points(chat)?;
    limits(chat, model)
}

/// Checks that the counted input fits the model's window.
pub(crate) fn check_length(input_tokens: u64, model: &Model) -> Result<(), ApiError> {
    if input_tokens > model.context_tokens { Err(ApiError::validation(TOO_LONG)) } else { Ok(()) }
}

fn conversation(chat: &Chat, model: &Model, dialect: Dialect) -> Result<(), ApiError> {
    let converse = dialect == Dialect::Converse;
    let say = |for_converse: &str, for_messages: &str| {
        ApiError::validation(if converse { for_converse } else { for_messages })
    };
    if chat.messages.first().is_none_or(|message| message.role != Role::User) {
        return Err(say(
            "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
            if chat.messages.is_empty() {
                "messages: at least one message is required"
            } else {
                "messages: first message must use the \"user\" role"
            },
        ));
    }
    if chat.messages.windows(2).any(|pair| pair[0].role == pair[1].role) {
        return Err(say(
            "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.",
            "messages: roles must alternate between \"user\" and \"assistant\"",
        ));
    }
    if !model.prefill && chat.messages.last().is_some_and(|message| message.role == Role::Assistant) {
        return Err(ApiError::from_model(
            "This model does not support assistant message prefill. The conversation must end with a user message.",
        ));
    }
    blank(&chat.system, "SystemContentBlock", "system", dialect)?;
    for (i, message) in chat.messages.iter().enumerate() {
        if message.blocks.is_empty() {
            return Err(ApiError::validation(if converse {
                format!(
                    "The content field in the Message object at messages.{i} is empty. Add a ContentBlock object to the content field and try again."
                )
            } else {
                format!("messages.{i}: all messages must have non-empty content")
            }));
        }
        blank(&message.blocks, "ContentBlock", &format!("messages.{i}.content"), dialect)?;
        let before = i.checked_sub(1).map(|i| &chat.messages[i]);
        tool_results(message, before, i, dialect)?;
    }
    match chat.messages.last() {
        Some(last) if last.role == Role::Assistant && !uses(Some(last)).is_empty() => {
            Err(unanswered(chat.messages.len(), &uses(Some(last)), dialect))
        }
        _ => Ok(()),
    }
}

fn blank(blocks: &[Block], object: &str, path: &str, dialect: Dialect) -> Result<(), ApiError> {
    let blank = |block: &Block| matches!(block, Block::Text(text) if text.trim().is_empty());
    match (blocks.iter().position(blank), dialect) {
        (None, _) => Ok(()),
        (Some(i), Dialect::Converse) => Err(ApiError::validation(format!(
            "The text field in the {object} object at {path}.{i} is blank. Add text to the text field, and try again."
        ))),
        (Some(_), Dialect::Messages) => Err(ApiError::validation(format!(
            "{}: text content blocks must contain non-whitespace text",
            path.trim_end_matches(".content")
        ))),
    }
}

fn uses(message: Option<&Message>) -> Vec<&str> {
    let blocks = message.map_or(&[][..], |message| &message.blocks);
    blocks
        .iter()
        .filter_map(|block| if let Block::ToolUse { id, .. } = block { Some(id.as_str()) } else { None })
        .collect()
}

fn tool_results(message: &Message, before: Option<&Message>, i: usize, dialect: Dialect) -> Result<(), ApiError> {
    let expected = uses(before);
    let given: Vec<&str> = message
        .blocks
        .iter()
        .filter_map(|block| if let Block::ToolResult { id, .. } = block { Some(id.as_str()) } else { None })
        .collect();
    let missing: Vec<&str> = expected.iter().filter(|id| !given.contains(id)).copied().collect();
    if !missing.is_empty() {
        return Err(unanswered(i, &missing, dialect));
    }
    let surplus = given.iter().find(|id| !expected.contains(id));
    match (surplus, dialect) {
        (Some(_), Dialect::Converse) => Err(exceeds(i)),
        (None, Dialect::Converse) if given.len() > expected.len() => Err(exceeds(i)),
        (Some(id), Dialect::Messages) => Err(ApiError::validation(format!(
            "messages.{i}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
        ))),
        (None, Dialect::Messages) if given.len() > expected.len() => Err(ApiError::validation(format!(
            "messages.{i}: each tool_use must have a single result. Found multiple `tool_result` blocks with one id"
        ))),
        _ => Ok(()),
    }
}

fn exceeds(i: usize) -> ApiError {
    ApiError::validation(format!(
        "The number of toolResult blocks at messages.{i}.content exceeds the number of toolUse blocks of previous turn."
    ))
}

fn unanswered(i: usize, ids: &[&str], dialect: Dialect) -> ApiError {
    let ids = ids.join(", ");
    ApiError::validation(match dialect {
        Dialect::Converse => format!("Expected toolResult blocks at messages.{i}.content for the following Ids: {ids}"),
        Dialect::Messages => format!(
            "messages.{}: `tool_use` ids were found without `tool_result` blocks immediately after: {ids}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
            i.saturating_sub(1)
        ),
    })
}

fn tools(chat: &Chat, model: &Model) -> Result<(), ApiError> {
    let specs = chat
        .tools
        .iter()
        .filter_map(|tool| if let Tool::Spec { name, .. } = tool { Some(name.as_str()) } else { None });
    let mut names = HashSet::new();
    for (i, name) in specs.enumerate() {
        tool_name(name, &format!("toolConfig.tools.{}.member.toolSpec.name", i + 1))?;
        if !names.insert(name) {
            return Err(ApiError::validation(format!(
                "The tool name {name} is already defined at toolConfig.tools. Tool names must be unique."
            )));
        }
    }
    let mut used = false;
    for (i, message) in chat.messages.iter().enumerate() {
        for (j, block) in message.blocks.iter().enumerate() {
            let path = format!("messages.{}.member.content.{}.member", i + 1, j + 1);
            match block {
                Block::ToolUse { id, name, .. } => {
                    tool_name(name, &format!("{path}.toolUse.name"))?;
                    tool_name(id, &format!("{path}.toolUse.toolUseId"))?;
                    used = true;
                }
                Block::ToolResult { id, .. } => {
                    tool_name(id, &format!("{path}.toolResult.toolUseId"))?;
                    used = true;
                }
                _ => {}
            }
        }
    }
    if used && names.is_empty() {
        return Err(ApiError::validation(
            "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
        ));
    }
    match &chat.tool_choice {
        ToolChoice::Named(name) if !names.contains(name.as_str()) => {
            Err(ApiError::from_model(format!("Tool '{name}' not found in provided tools")))
        }
        ToolChoice::Named(_) | ToolChoice::Any if !model.forced_tool_use => {
            Err(ApiError::from_model("Thinking may not be enabled when tool_choice forces tool use."))
        }
        _ => Ok(()),
    }
}

fn tool_name(name: &str, path: &str) -> Result<(), ApiError> {
    let constraint = if name.is_empty() {
        "have length greater than or equal to 1"
    } else if name.chars().count() > MAX_TOOL_NAME_CHARS {
        "have length less than or equal to 64"
    } else if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
        "satisfy regular expression pattern: [a-zA-Z0-9_-]+"
    } else {
        return Ok(());
    };
    Err(ApiError::validation(format!(
        "1 validation error detected: Value '{name}' at '{path}' failed to satisfy constraint: Member must {constraint}"
    )))
}

fn cache_points(chat: &Chat) -> Result<(), ApiError> {
    let blocks = chat.system.iter().chain(chat.messages.iter().flat_map(|message| &message.blocks));
    let in_blocks = blocks.filter(|block| matches!(block, Block::CachePoint { .. })).count();
    let points = in_blocks + chat.tools.iter().filter(|tool| matches!(tool, Tool::CachePoint { .. })).count();
    if points > MAX_CACHE_POINTS {
        return Err(ApiError::from_model(format!(
            "A maximum of 4 blocks with cache_control may be provided. Found {points}."
        )));
    }
    Ok(())
}

fn limits(chat: &Chat, model: &Model) -> Result<(), ApiError> {
    let limit = model.max_output_tokens;
    if chat.max_tokens == Some(0) {
        return Err(ApiError::validation(
            "1 validation error detected: Value '0' at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1",
        ));
    }
    if chat.max_tokens.is_some_and(|asked| asked > u64::from(limit)) {
        return Err(ApiError::validation(format!(
            "The maximum tokens you requested exceeds the model limit of {limit}. Try again with a maximum tokens value that is lower than {limit}."
        )));
    }
    if let Some(name) = chat.sampling.first().filter(|_| !model.sampling_params) {
        return Err(ApiError::from_model(format!("`{name}` is deprecated for this model.")));
    }
    match chat.thinking.and_then(|thinking| thinking.budget_tokens) {
        Some(budget) if budget < MIN_THINKING_TOKENS => {
            Err(ApiError::from_model("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"))
        }
        Some(budget) if chat.max_tokens.unwrap_or(u64::from(limit)) <= budget => {
            Err(ApiError::from_model("`max_tokens` must be greater than `thinking.budget_tokens`."))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
