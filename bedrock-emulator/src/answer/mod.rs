//! What a call answers: its parts, where it stops, what it counts.

mod compose;
mod dates;
mod figures;
mod files;
mod limit;
mod mentions;
mod programs;
mod results;
mod table;
mod tool_input;
mod tool_use;
mod words;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::Date;

use crate::behaviour::Behaviour;
use crate::chat::{Chat, Role};
use crate::{reasoning, tokens};

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
    /// Reasoning that is sent as bytes, in base64, which nobody can read; the text is what it cost.
    Redacted {
        text: String,
        data: String,
    },
    /// `json` may be cut by `maxTokens`, or be something else if a script says so.
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
            Part::Text(text) | Part::Reasoning { text, .. } | Part::Redacted { text, .. } => text,
            Part::ToolUse { json, .. } => json,
        }
    }

    /// What a stream sends of it, delta by delta: token by token, but what is redacted whole.
    pub(crate) fn deltas(&self) -> impl Iterator<Item = &str> {
        let whole = matches!(self, Part::Redacted { .. });
        let pieces = tokens::pieces(if whole { "" } else { self.content() });
        whole.then(|| self.content()).into_iter().chain(pieces)
    }

    fn content_mut(&mut self) -> &mut String {
        match self {
            Part::Text(text) | Part::Reasoning { text, .. } | Part::Redacted { text, .. } => text,
            Part::ToolUse { json, .. } => json,
        }
    }

    /// Proves what has become of reasoning.
    fn sealed(self) -> Part {
        match self {
            Part::Reasoning { text, .. } => Part::Reasoning { signature: reasoning::signature(&text), text },
            Part::Redacted { text, .. } => Part::Redacted { data: reasoning::redacted(&text), text },
            part => part,
        }
    }
}

/// A tool's input as an object; what `maxTokens` cut is not JSON and gives an empty one.
pub(crate) fn parsed_input(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|_| Value::Object(serde_json::Map::new()))
}

/// A valid request and what is asked of its answer.
pub(crate) struct Asked<'a> {
    pub(crate) chat: &'a Chat,
    pub(crate) behaviour: &'a Behaviour,
    /// The last words of the user, without commands.
    pub(crate) prompt: &'a str,
    pub(crate) max_tokens: u32,
    /// Makes the ids of tool uses; no two calls have the same.
    pub(crate) seed: &'a str,
    pub(crate) today: Date,
}

/// The answer; `usage` has the input counted already.
pub(crate) fn answer(asked: &Asked<'_>, usage: Usage) -> Answer {
    let Asked { chat, behaviour, prompt, .. } = *asked;
    let mut parts = Vec::new();
    if let Some(text) = reasoning_text(chat, behaviour, prompt) {
        parts.push(match behaviour.redacted_reasoning {
            true => Part::Redacted { text, data: String::new() },
            false => Part::Reasoning { text, signature: String::new() },
        });
    }
    let calls = tool_use::calls(asked);
    let text = match &behaviour.text {
        Some(text) => text.clone(),
        None if !calls.is_empty() && behaviour.length_tokens.is_none() => compose::before_tools(&calls),
        None => compose::text(chat, prompt),
    };
    let text = match behaviour.length_tokens {
        Some(length) => compose::of_length(text, length),
        None => text,
    };
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    parts.extend(calls.into_iter().enumerate().map(|(i, call)| Part::ToolUse {
        id: tool_use::id(asked.seed, i),
        name: call.name,
        json: call.json,
    }));
    let answer = limit::limited(parts, &chat.stop_sequences, asked.max_tokens, usage);
    Answer { parts: answer.parts.into_iter().map(Part::sealed).collect(), ..answer }
}

fn reasoning_text(chat: &Chat, behaviour: &Behaviour, prompt: &str) -> Option<String> {
    match &behaviour.reasoning {
        Some(text) if !text.is_empty() => Some(text.clone()),
        None if chat.thinking.is_none() && !behaviour.redacted_reasoning => None,
        _ => Some(compose::reasoning(chat, prompt)),
    }
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
