//! The tools that a request offers, and the names and inputs of those that it says were used.

use std::collections::HashSet;

use serde_json::Value;

use crate::chat::{Block, Chat, Dialect, Tool, ToolChoice};
use crate::error::ApiError;
use crate::model::Model;

const MAX_NAME_CHARS: usize = 64;

pub(super) fn check(chat: &Chat, model: &Model, dialect: Dialect) -> Result<(), ApiError> {
    let mut names = HashSet::new();
    for (i, tool) in chat.tools.iter().enumerate() {
        let Tool::Spec { name, description, schema } = tool else { continue };
        offered(i, name, description.as_deref(), schema, dialect)?;
        if !names.insert(name.as_str()) {
            return Err(ApiError::validation(format!(
                "The tool name {name} is already defined at toolConfig.tools. Tool names must be unique."
            )));
        }
    }
    if used(chat)? && names.is_empty() {
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

fn offered(i: usize, name: &str, description: Option<&str>, schema: &Value, dialect: Dialect) -> Result<(), ApiError> {
    let path = format!("toolConfig.tools.{}.member.toolSpec", i + 1);
    word(name, &format!("{path}.name"), "", "[a-zA-Z0-9_-]+")?;
    if description.is_some_and(str::is_empty) {
        return Err(broken("", &format!("{path}.description"), "have length greater than or equal to 1"));
    }
    match (dialect, schema["type"].as_str()) {
        (_, Some("object")) => Ok(()),
        (Dialect::Converse, _) => Err(ApiError::validation(format!(
            "The value at toolConfig.tools.{i}.toolSpec.inputSchema.json.type must be one of the following: object."
        ))),
        (Dialect::Messages, None) => {
            Err(ApiError::from_model(format!("tools.{i}.custom.input_schema.type: Field required")))
        }
        (Dialect::Messages, Some(_)) => {
            Err(ApiError::from_model(format!("tools.{i}.custom.input_schema.type: Input should be 'object'")))
        }
    }
}

/// Whether the conversation has tool uses or results.
fn used(chat: &Chat) -> Result<bool, ApiError> {
    let mut used = false;
    for (i, message) in chat.messages.iter().enumerate() {
        for (j, block) in message.blocks.iter().enumerate() {
            let path = format!("messages.{}.member.content.{}.member", i + 1, j + 1);
            match block {
                Block::ToolUse { id, name, input } => {
                    word(name, &format!("{path}.toolUse.name"), "", "[a-zA-Z0-9_-]+")?;
                    word(id, &format!("{path}.toolUse.toolUseId"), ".:", "[a-zA-Z0-9_.:-]+")?;
                    if !input.is_object() {
                        return Err(ApiError::validation(format!(
                            "The format of the value at messages.{i}.content.{j}.toolUse.input is invalid. Provide a json object for the field and try again."
                        )));
                    }
                    used = true;
                }
                Block::ToolResult { id, .. } => {
                    word(id, &format!("{path}.toolResult.toolUseId"), ".:", "[a-zA-Z0-9_.:-]+")?;
                    used = true;
                }
                _ => {}
            }
        }
    }
    Ok(used)
}

/// A name of letters, digits, `_` and `-`, or of these others as well.
fn word(name: &str, path: &str, others: &str, pattern: &str) -> Result<(), ApiError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-') || others.contains(c);
    if name.is_empty() {
        Err(broken(name, path, "have length greater than or equal to 1"))
    } else if name.chars().count() > MAX_NAME_CHARS {
        Err(broken(name, path, "have length less than or equal to 64"))
    } else if !name.chars().all(fits) {
        Err(broken(name, path, &format!("satisfy regular expression pattern: {pattern}")))
    } else {
        Ok(())
    }
}

fn broken(value: &str, path: &str, constraint: &str) -> ApiError {
    ApiError::validation(format!(
        "1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: Member must {constraint}"
    ))
}
