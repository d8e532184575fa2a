//! The rules that a request must keep, and the words in which Bedrock says that it does not.

mod cache_points;
mod media;
mod thinking;
mod tool_results;
mod tools;

use crate::chat::{Block, Chat, Dialect, Role};
use crate::error::ApiError;
use crate::model::Model;

/// The message of a context overflow.
pub(crate) const TOO_LONG: &str = "Input is too long for requested model.";

/// Checks everything but the length of the input.
pub(crate) fn check(chat: &Chat, model: &Model, dialect: Dialect) -> Result<(), ApiError> {
    if let Some(guardrail) = &chat.guardrail {
        guardrail.check()?;
    }
    tools::check(chat, model, dialect)?;
    conversation(chat, model, dialect)?;
    media::check(chat, dialect)?;
    cache_points::check(chat, model, dialect)?;
    limits(chat, model)?;
    thinking::check(chat, model)
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
    }
    tool_results::check(&chat.messages, dialect)
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
    if let Some((name, _)) = chat.sampling.first().filter(|_| !model.sampling_params) {
        return Err(ApiError::from_model(format!("`{name}` is deprecated for this model.")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
