//! What extended thinking asks of a request, and what proves earlier thinking.

use crate::chat::{Block, Chat, Message, Role, ToolChoice};
use crate::error::ApiError;
use crate::model::Model;
use crate::reasoning;

/// Smallest `budget_tokens` of extended thinking.
const MIN_THINKING_TOKENS: u64 = 1_024;
/// Smallest `top_p` beside it.
const MIN_TOP_P: f64 = 0.95;

pub(super) fn check(chat: &Chat, model: &Model) -> Result<(), ApiError> {
    proofs(&chat.messages)?;
    let Some(thinking) = chat.thinking else { return Ok(()) };
    for (name, value) in &chat.sampling {
        let message = match *name {
            "temperature" if *value != 1.0 => "`temperature` may only be set to 1 when thinking is enabled.",
            "top_p" if *value < MIN_TOP_P => {
                "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled."
            }
            "top_k" => "`top_k` must be unset when thinking is enabled.",
            _ => continue,
        };
        return Err(ApiError::from_model(message));
    }
    if matches!(chat.tool_choice, ToolChoice::Any | ToolChoice::Named(_)) {
        return Err(ApiError::from_model("Thinking may not be enabled when tool_choice forces tool use."));
    }
    match thinking.budget_tokens {
        Some(budget) if budget < MIN_THINKING_TOKENS => {
            return Err(ApiError::from_model(
                "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
            ));
        }
        Some(budget) if chat.max_tokens.unwrap_or(model.max_output_tokens.into()) <= budget => {
            return Err(ApiError::from_model("`max_tokens` must be greater than `thinking.budget_tokens`."));
        }
        _ => {}
    }
    if thinking.adaptive { Ok(()) } else { first_of_turn(chat) }
}

/// Every reasoning block is one that was made here, unchanged.
fn proofs(messages: &[Message]) -> Result<(), ApiError> {
    for (i, message) in messages.iter().enumerate() {
        for (j, block) in message.blocks.iter().enumerate() {
            let at = format!("messages.{i}.content.{j}");
            let wrong = match block {
                Block::Reasoning { .. } | Block::Redacted(_) if message.role == Role::User => {
                    format!("{at}: `thinking` blocks may only be in `assistant` messages")
                }
                Block::Reasoning { signature: None, .. } => format!("{at}.thinking.signature: Field required"),
                Block::Reasoning { signature: Some(signature), .. } if signature.is_empty() => {
                    format!("{at}.thinking.signature: Field required")
                }
                Block::Reasoning { text, signature: Some(signature) } if !reasoning::is_signed(text, signature) => {
                    format!("{at}: Invalid `signature` in `thinking` block")
                }
                Block::Redacted(bytes) if !reasoning::is_ours(bytes) => {
                    format!("{at}: Invalid `data` in `redacted_thinking` block")
                }
                _ => continue,
            };
            return Err(ApiError::from_model(wrong));
        }
    }
    Ok(())
}

/// While tools are being called, the assistant's turn must begin with thinking.
fn first_of_turn(chat: &Chat) -> Result<(), ApiError> {
    if chat.rounds() == 0 {
        return Ok(());
    }
    let first = chat.messages.len().saturating_sub(2 * chat.rounds() as usize);
    let found = match chat.messages.get(first).and_then(|message| message.blocks.first()) {
        Some(Block::Text(_)) => "text",
        Some(Block::ToolUse { .. }) => "tool_use",
        _ => return Ok(()),
    };
    Err(ApiError::from_model(format!(
        "messages.{first}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{found}`. When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks). To avoid this requirement, disable `thinking`."
    )))
}
