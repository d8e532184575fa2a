//! Which tools an answer asks for, and with what.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Asked, tool_input, words};
use crate::behaviour::ToolUse;
use crate::chat::{Tool, ToolChoice};

/// Shared words that make a tool fit a prompt.
const ENOUGH_WORDS: usize = 2;
/// One more is needed for every so many words of the prompt: a long text shares words with anything.
const PROMPT_WORDS_PER_MATCH: usize = 12;
/// Bytes of a tool use's id, which is in base64.
const ID_BYTES: usize = 16;

/// A tool that an answer asks for: its name, and its input as it is streamed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ToolCall {
    pub(super) name: String,
    pub(super) json: String,
}

/// One for each call and place, and always the same.
pub(super) fn id(seed: &str, place: usize) -> String {
    format!("tooluse_{}", BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(format!("{seed} {place}"))[..ID_BYTES]))
}

/// What the script says; else what the prompt and the tools of the request make of it. Tools that have answered are not asked again
/// unless the request forces it.
pub(super) fn calls(asked: &Asked<'_>) -> Vec<ToolCall> {
    let tools = tools(&asked.chat.tools);
    if !asked.behaviour.tool_uses.is_empty() {
        return asked.behaviour.tool_uses.iter().map(|tool| scripted(tool, &tools, asked)).collect();
    }
    if asked.behaviour.text.is_some() {
        return Vec::new();
    }
    let fitting = || named(&tools, asked.prompt).or_else(|| fitting(&tools, asked.prompt));
    let chosen = match &asked.chat.tool_choice {
        ToolChoice::None => None,
        ToolChoice::Named(wanted) => tools.iter().find(|tool| tool.name == wanted),
        ToolChoice::Any => fitting().or_else(|| tools.first()),
        ToolChoice::Auto if asked.chat.rounds() > 0 => None,
        ToolChoice::Auto => fitting(),
    };
    chosen.map(|tool| tool.call(asked)).into_iter().collect()
}

struct Spec<'a> {
    name: &'a str,
    description: &'a str,
    schema: &'a Value,
}

fn tools(tools: &[Tool]) -> Vec<Spec<'_>> {
    tools
        .iter()
        .filter_map(|tool| match tool {
            Tool::Spec { name, description, schema } => {
                Some(Spec { name, description: description.as_deref().unwrap_or_default(), schema })
            }
            Tool::CachePoint { .. } => None,
        })
        .collect()
}

impl Spec<'_> {
    fn call(&self, asked: &Asked<'_>) -> ToolCall {
        let input = tool_input::from_schema(self.schema, asked.prompt, asked.today);
        ToolCall { name: self.name.to_owned(), json: input.to_string() }
    }

    /// How many words of the prompt are about it, and how many of them are in its name.
    fn matches(&self, wanted: &[String], asks: bool) -> (usize, usize) {
        let title = self.schema["title"].as_str().unwrap_or_default();
        let name = words::significant(self.name);
        let about = words::significant(&format!("{} {title} {}", self.name, self.description));
        let shared = wanted.iter().filter(|word| about.contains(word));
        let strong = usize::from(asks && shared.clone().any(|word| words::STRONG.contains(&word.as_str())));
        (shared.count() + strong, wanted.iter().filter(|word| name.contains(word)).count())
    }
}

/// A tool that is named in part is the one whose name has that part, whatever stands between its words: `server/tool` finds
/// `server__tool`. A name that no tool has stays as it is.
fn scripted(wanted: &ToolUse, tools: &[Spec<'_>], asked: &Asked<'_>) -> ToolCall {
    let letters = |name: &str| words::split(name).concat();
    let part = letters(&wanted.name);
    let found = tools.iter().find(|tool| tool.name == wanted.name).or_else(|| {
        let mut partly = tools.iter().filter(|tool| letters(tool.name).contains(&part));
        partly.next().filter(|_| !part.is_empty() && partly.next().is_none())
    });
    let name = found.map_or(wanted.name.as_str(), |tool| tool.name).to_owned();
    let json = match (&wanted.raw_input, &wanted.input, found) {
        (Some(raw), ..) => raw.clone(),
        (None, Value::Null, Some(tool)) => return tool.call(asked),
        (None, Value::Null, None) => "{}".to_owned(),
        (None, input, _) => input.to_string(),
    };
    ToolCall { name, json }
}

/// The tool whose name is in the prompt.
fn named<'a, 'b>(tools: &'a [Spec<'b>], prompt: &str) -> Option<&'a Spec<'b>> {
    tools.iter().find(|tool| prompt.contains(tool.name))
}

/// The tool whose name, title and description have most of the prompt's words; of equals the one whose name has most, then the first.
fn fitting<'a, 'b>(tools: &'a [Spec<'b>], prompt: &str) -> Option<&'a Spec<'b>> {
    let wanted = words::significant(prompt);
    let first = words::split(prompt).into_iter().next().unwrap_or_default();
    let asks = !matches!(
        first.as_str(),
        "explain" | "describe" | "define" | "write" | "translate" | "summarise" | "summarize"
    );
    let enough = ENOUGH_WORDS + wanted.len() / PROMPT_WORDS_PER_MATCH;
    let mut best: Option<((usize, usize), &Spec<'_>)> = None;
    for tool in tools {
        let matches = tool.matches(&wanted, asks);
        if matches.0 >= enough && best.is_none_or(|(most, _)| matches > most) {
            best = Some((matches, tool));
        }
    }
    best.map(|(_, tool)| tool)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pick(prompt: &str) -> Option<&'static str> {
        let schema: &'static Value = Box::leak(Box::new(json!({ "type": "object" })));
        let spec = |name, description| Spec { name, description, schema };
        let tools = [
            spec(
                "outcrop-analytics__usage_summary",
                "Usage and cost of this service in a range of days: the total, and a row for each day, model or user. Use it for \
                 questions such as: which model costs most? The rest is summed and may be left out.",
            ),
            spec("outcrop-analytics__top_users", "The users who cost most in a range of days, dearest first."),
            spec(
                "outcrop-analytics__usage_trend",
                "Whether usage goes up or down: cost and tokens of each day, and the change.",
            ),
            spec(
                "outcrop-analytics__budget_status",
                "The budgets that hold for a person, with what is spent and left of them.",
            ),
            spec("github__search_issues", "Search issues and pull requests of a repository by label or text."),
            spec("read_file", "Read a file from the file system."),
        ];
        let at = fitting(&tools, prompt).map(|tool| tool.name)?;
        Some(at.rsplit("__").next().unwrap_or(at))
    }

    #[test]
    fn the_tool_that_is_about_the_prompt_is_used() {
        for (prompt, expected) in [
            ("How much did we spend this week?", "usage_summary"),
            ("What was the cost per model yesterday?", "usage_summary"),
            ("How many tokens did each model use last month?", "usage_summary"),
            ("What is the usage per day this month?", "usage_summary"),
            ("Which model was the most expensive today?", "usage_summary"),
            ("What is my budget?", "budget_status"),
            ("Who are our top users?", "top_users"),
            ("Which 3 users spent the most money?", "top_users"),
            ("What is the trend of our spending?", "usage_trend"),
            ("How much of our budget is left?", "budget_status"),
            ("Search the open issues with the label bug", "search_issues"),
        ] {
            assert_eq!(pick(prompt), Some(expected), "{prompt}");
        }
    }

    #[test]
    fn a_prompt_about_something_else_uses_none() {
        for prompt in [
            "Explain rivers",
            "Hello",
            "",
            "Write a small Rust program",
            "What did I ask before?",
            "Explain the cost of war",
            "Tell me about the history of the printing press in a few paragraphs",
            "Open the file",
            "2 + 2",
        ] {
            assert_eq!(pick(prompt), None, "{prompt}");
        }
    }

    #[test]
    fn ids_differ_by_call_and_place_and_fit_bedrocks_pattern() {
        let ids = [id("a", 0), id("a", 1), id("b", 0)];
        assert!(ids[0] != ids[1] && ids[0] != ids[2] && ids[0] == id("a", 0));
        assert!(ids[0].len() <= 64 && ids[0].chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')));
    }
}
