//! What a call answers: its parts, where it stops, what it counts.

mod compose;
mod programs;
mod tool_input;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::behaviour::Behaviour;
use crate::chat::{Chat, Role, Tool, ToolChoice};
use crate::tokens;

/// Tokens of a call. The rule that counts them is in the crate's README.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Input that was neither read from nor written to the cache.
    pub input_tokens: u32,
    /// Text, reasoning and tool input.
    pub output_tokens: u32,
    /// Input read from the prompt cache.
    pub cache_read_input_tokens: u32,
    /// Input written to the prompt cache.
    pub cache_write_input_tokens: u32,
    /// Whether what was written lives for one hour instead of five minutes.
    #[serde(skip)]
    pub(crate) cache_write_one_hour: bool,
}

impl Usage {
    /// Input, output and both sides of the cache, as Bedrock's `totalTokens`.
    pub fn total_tokens(&self) -> u32 {
        self.input_tokens + self.output_tokens + self.cache_read_input_tokens + self.cache_write_input_tokens
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) parts: Vec<Part>,
    pub(crate) stop_reason: StopReason,
    pub(crate) stop_sequence: Option<String>,
    pub(crate) usage: Usage,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    Text(String),
    Reasoning {
        text: String,
        signature: String,
    },
    /// `json` may be cut by `maxTokens`.
    ToolUse {
        id: String,
        name: String,
        json: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopReason {
    EndTurn,
    MaxTokens,
    StopSequence,
    ToolUse,
    GuardrailIntervened,
}

impl StopReason {
    pub(crate) fn name(self) -> &'static str {
        match self {
            StopReason::EndTurn => "end_turn",
            StopReason::MaxTokens => "max_tokens",
            StopReason::StopSequence => "stop_sequence",
            StopReason::ToolUse => "tool_use",
            StopReason::GuardrailIntervened => "guardrail_intervened",
        }
    }
}

impl Part {
    pub(crate) fn content(&self) -> &str {
        match self {
            Part::Text(text) | Part::Reasoning { text, .. } => text,
            Part::ToolUse { json, .. } => json,
        }
    }

    fn content_mut(&mut self) -> &mut String {
        match self {
            Part::Text(text) | Part::Reasoning { text, .. } => text,
            Part::ToolUse { json, .. } => json,
        }
    }
}

/// A tool's input as an object; what `maxTokens` cut is not JSON and gives an empty one.
pub(crate) fn parsed_input(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|_| Value::Object(serde_json::Map::new()))
}

/// The answer to a valid request. `seed` names the call in tool use ids; `usage` has the input counted already.
pub(crate) fn answer(
    chat: &Chat,
    behaviour: &Behaviour,
    prompt: &str,
    max_tokens: u32,
    seed: &str,
    usage: Usage,
) -> Answer {
    let mut parts = Vec::new();
    if let Some(reasoning) = reasoning(chat, behaviour, prompt) {
        let signature = signature(&reasoning);
        parts.push(Part::Reasoning { text: reasoning, signature });
    }
    let tools = tool_uses(chat, behaviour, prompt);
    let text = match &behaviour.text {
        Some(text) => text.clone(),
        None if !tools.is_empty() && behaviour.length_tokens.is_none() => compose::before_tools(&tools),
        None => compose::text(chat, prompt),
    };
    let text = match behaviour.length_tokens {
        Some(length) => compose::of_length(text, length),
        None => text,
    };
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    let id = |i: usize| format!("tooluse_{}{i}", seed.replace('-', "").get(..20).unwrap_or("0"));
    parts.extend(tools.into_iter().enumerate().map(|(i, (name, input))| Part::ToolUse {
        id: id(i),
        name,
        json: input.to_string(),
    }));
    limited(parts, &chat.stop_sequences, max_tokens, usage)
}

fn reasoning(chat: &Chat, behaviour: &Behaviour, prompt: &str) -> Option<String> {
    match &behaviour.reasoning {
        Some(text) if !text.is_empty() => Some(text.clone()),
        None if chat.thinking.is_none() => None,
        _ => Some(compose::reasoning(chat, prompt)),
    }
}

fn tool_uses(chat: &Chat, behaviour: &Behaviour, prompt: &str) -> Vec<(String, Value)> {
    if !behaviour.tool_uses.is_empty() {
        return behaviour.tool_uses.iter().map(|tool| (tool.name.clone(), tool.input.clone())).collect();
    }
    if behaviour.text.is_some() {
        return Vec::new();
    }
    let specs = || {
        chat.tools
            .iter()
            .filter_map(|tool| if let Tool::Spec { name, schema, .. } = tool { Some((name, schema)) } else { None })
    };
    let named = || specs().find(|(name, _)| !prompt.is_empty() && prompt.contains(name.as_str()));
    let chosen = match &chat.tool_choice {
        ToolChoice::None => None,
        ToolChoice::Named(wanted) => specs().find(|(name, _)| *name == wanted),
        ToolChoice::Any => named().or_else(|| specs().next()),
        ToolChoice::Auto => named(),
    };
    chosen.map(|(name, schema)| (name.clone(), tool_input::from_schema(schema, prompt))).into_iter().collect()
}

/// Opaque to clients, who must send it back as it is.
fn signature(reasoning: &str) -> String {
    use base64::Engine;
    use sha2::{Digest, Sha256};
    base64::prelude::BASE64_STANDARD.encode(Sha256::digest(format!("emulator:{reasoning}")))
}

/// Cuts the parts at the first stop sequence and then at `max_tokens`, and counts what is left.
fn limited(mut parts: Vec<Part>, stops: &[String], max_tokens: u32, usage: Usage) -> Answer {
    let has_tool = |parts: &[Part]| parts.iter().any(|part| matches!(part, Part::ToolUse { .. }));
    let mut stop_reason = if has_tool(&parts) { StopReason::ToolUse } else { StopReason::EndTurn };
    let mut stop_sequence = None;
    for i in 0..parts.len() {
        let Part::Text(text) = &mut parts[i] else { continue };
        let hits =
            stops.iter().filter(|stop| !stop.is_empty()).filter_map(|stop| Some((text.find(stop.as_str())?, stop)));
        if let Some((at, stop)) = hits.min_by_key(|(at, _)| *at) {
            text.truncate(at);
            stop_sequence = Some(stop.clone());
            stop_reason = StopReason::StopSequence;
            parts.truncate(i + 1);
            break;
        }
    }
    let mut left = max_tokens as usize;
    for i in 0..parts.len() {
        let content = parts[i].content_mut();
        let kept: usize = tokens::pieces(content).take(left).map(str::len).sum();
        left -= tokens::pieces(&content[..kept]).count().min(left);
        if kept < content.len() {
            content.truncate(kept);
            parts.truncate(i + 1);
            stop_reason = StopReason::MaxTokens;
            stop_sequence = None;
            break;
        }
    }
    parts.retain(|part| !part.content().is_empty());
    let output_tokens = parts.iter().map(|part| tokens::count(part.content())).sum();
    Answer { parts, stop_reason, stop_sequence, usage: Usage { output_tokens, ..usage } }
}

/// The last texts of the user, oldest first, without commands.
fn earlier_prompts(chat: &Chat) -> Vec<String> {
    let all = chat.messages.iter().filter(|message| message.role == Role::User).map(|message| message.text());
    let mut prompts: Vec<String> =
        all.map(|text| crate::prefix::parse(&text).1.trim().to_owned()).filter(|text| !text.is_empty()).collect();
    if !chat.prompt().is_empty() {
        prompts.pop();
    }
    prompts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Vec<Part> {
        vec![Part::Text(text.to_owned())]
    }

    #[test]
    fn max_tokens_is_exact_and_wins_over_what_would_have_come() {
        let whole = limited(text("one two three"), &[], 3, Usage::default());
        assert_eq!((whole.stop_reason, whole.usage.output_tokens), (StopReason::EndTurn, 3));
        let cut = limited(text("one two three"), &[], 2, Usage::default());
        assert_eq!((cut.stop_reason, cut.usage.output_tokens), (StopReason::MaxTokens, 2));
        assert_eq!(cut.parts, text("one two"));
    }

    #[test]
    fn the_first_stop_sequence_ends_the_text_before_it() {
        let stops = ["three".to_owned(), "two".to_owned()];
        let stopped = limited(text("one two three"), &stops, 9, Usage::default());
        assert_eq!((stopped.stop_reason, stopped.stop_sequence.as_deref()), (StopReason::StopSequence, Some("two")));
        assert_eq!(stopped.parts, text("one "));
    }

    #[test]
    fn a_cut_tool_input_ends_with_max_tokens() {
        let tool = Part::ToolUse { id: "t".into(), name: "n".into(), json: r#"{"city":"Oslo"}"#.into() };
        let cut = limited(vec![tool], &[], 3, Usage::default());
        assert_eq!(cut.stop_reason, StopReason::MaxTokens);
        assert_eq!(cut.usage.output_tokens, 3);
        assert_eq!(parsed_input(cut.parts[0].content()), serde_json::json!({}));
    }
}
