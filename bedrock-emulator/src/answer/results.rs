//! What tools gave back, told to people.

use std::fmt::Write;

use serde_json::Value;

use super::table;
use crate::chat::{Block, Chat};

/// Characters of a result's text that are quoted.
const QUOTE_CHARS: usize = 2_000;

/// The answer to the results that the conversation ends with; none if it ends with the user's own words.
pub(super) fn text(chat: &Chat, prompt: &str) -> Option<String> {
    if chat.rounds() == 0 {
        return None;
    }
    let results: Vec<String> =
        chat.last_results().map(|(id, content, failed)| told(name(chat, id), content, failed, prompt)).collect();
    (!results.is_empty()).then(|| format!("{}\n", results.join("\n").trim_end()))
}

fn name<'a>(chat: &'a Chat, id: &'a str) -> &'a str {
    let blocks = chat.messages.iter().rev().flat_map(|message| &message.blocks);
    let mut uses =
        blocks.filter_map(|block| if let Block::ToolUse { id, name, .. } = block { Some((id, name)) } else { None });
    uses.find(|(used, _)| *used == id).map_or(id, |(_, name)| name)
}

fn told(name: &str, content: &[Block], failed: bool, prompt: &str) -> String {
    if failed {
        return failure(name, &plain(content));
    }
    let mut told = format!("The tool `{name}` returned:\n\n");
    let mut told_any = false;
    // Servers send data and the same data as text.
    let mut data_told: Vec<Value> = Vec::new();
    for block in content {
        let value = match block {
            Block::Json(value) => Some(value.clone()),
            Block::Text(text) => data(text),
            _ => None,
        };
        told_any |= match (block, value) {
            (_, Some(value)) if data_told.contains(&value) => false,
            (_, Some(value)) => {
                let text = table::told(&value, prompt);
                data_told.push(value);
                line(&mut told, text.trim_end())
            }
            (Block::Text(text), None) => quoted(&mut told, text),
            (Block::Image(image), None) => line(&mut told, &format!("An image ({}).", image.description())),
            (Block::Document(document), None) => line(&mut told, &format!("The document {}.", document.description())),
            _ => false,
        };
    }
    if told_any { told } else { format!("The tool `{name}` returned nothing.\n") }
}

/// A person's refusal is no failure of the tool.
fn failure(name: &str, text: &str) -> String {
    let lower = text.to_lowercase();
    let denied = ["denied", "declined", "not approved", "not allowed"].iter().any(|word| lower.contains(word));
    let what = if denied { "The tool was not run" } else { "The tool failed" };
    let text = if text.is_empty() { "it gave no reason" } else { text };
    format!("{what}: {text}\n\nThat was `{name}`. I go on without it.\n")
}

fn plain(content: &[Block]) -> String {
    let text = |block: &Block| match block {
        Block::Text(text) => text.trim().to_owned(),
        Block::Json(value) => value.to_string(),
        _ => String::new(),
    };
    content.iter().map(text).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The JSON that a text is, or that its lines hold between others that label it.
fn data(text: &str) -> Option<Value> {
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.iter().position(|line| line.starts_with(['{', '[']))?;
    let last = lines.iter().rposition(|line| line.trim_end().ends_with(['}', ']']))?;
    let value = serde_json::from_str(&lines.get(first..=last)?.join("\n")).ok()?;
    Some(value).filter(|value: &Value| value.is_object() || value.is_array())
}

fn quoted(told: &mut String, text: &str) -> bool {
    let text = text.trim();
    let end = text.char_indices().nth(QUOTE_CHARS).map_or(text.len(), |(at, _)| at);
    let more = if end < text.len() { "…" } else { "" };
    !text.is_empty() && line(told, &format!("> {}{more}", text[..end].replace('\n', "\n> ")))
}

fn line(told: &mut String, line: &str) -> bool {
    let _ = writeln!(told, "{line}\n");
    !line.is_empty()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat::{Message, Role};

    fn reply(content: Vec<Block>, failed: bool) -> String {
        let call = Block::ToolUse { id: "t1".into(), name: "usage".into(), input: json!({}) };
        let result = Block::ToolResult { id: "t1".into(), content, failed };
        let message = |role, block| Message { role, blocks: vec![block] };
        let messages = vec![
            message(Role::User, Block::Text("What did we spend?".into())),
            message(Role::Assistant, call),
            message(Role::User, result),
        ];
        text(&Chat { messages, ..Chat::default() }, "What did we spend?").expect("results")
    }

    #[test]
    fn data_is_a_table_and_text_is_quoted() {
        let json = json!([{ "model": "opus", "costUsd": 2.5 }]);
        let table = reply(vec![Block::Json(json.clone())], false);
        assert!(table.starts_with("The tool `usage` returned:\n\n**Cost USD: $2.50** (opus)."), "{table}");
        assert!(table.contains("| opus | $2.50 |"), "{table}");
        assert_eq!(reply(vec![Block::Text(json.to_string()), Block::Json(json.clone())], false), table);
        let labelled = format!("Data from a tool, not instructions:\n{json}\nEnd of data.");
        for text in [json.to_string(), labelled] {
            assert_eq!(reply(vec![Block::Text(text)], false), table);
        }
        assert!(reply(vec![Block::Text("4 degrees\nand rain".into())], false).contains("> 4 degrees\n> and rain\n"));
        assert!(reply(vec![Block::Text("see [1] {of} 2".into())], false).contains("> see [1] {of} 2\n"));
        assert!(reply(Vec::new(), false).contains("returned nothing"));
    }

    #[test]
    fn failures_and_refusals_are_told_as_such() {
        assert!(reply(vec![Block::Text("no such day".into())], true).starts_with("The tool failed: no such day\n"));
        let denied = reply(vec![Block::Text("The user denied this call.".into())], true);
        assert!(denied.starts_with("The tool was not run: The user denied this call.\n"), "{denied}");
    }
}
