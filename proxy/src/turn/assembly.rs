//! What a model says in one call, put together from the events of its stream.

use base64::prelude::{BASE64_STANDARD, Engine};
use protocol::{RawJson, limits::MAX_TOOL_JSON_DEPTH};
use serde_json::{Map, Value};

use crate::{bedrock::UpstreamEvent, conversation::Block};

/// The blocks so far.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    parts: Vec<(u32, Part)>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Reasoning { text: String, signature: String },
    Redacted(String),
    Tool { id: String, name: String, input: String },
}

/// A call that the model asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Tells it from others.
    pub(super) id: String,
    /// The name of the tool, as Bedrock has it.
    pub(super) name: String,
    /// The arguments; none where what the model wrote is no JSON object.
    pub(super) input: Option<RawJson>,
}

impl Assembly {
    /// Takes an event.
    pub(super) fn take(&mut self, event: &UpstreamEvent<'_>) {
        match event {
            UpstreamEvent::Text { block, content } => match self.part(*block) {
                Some(Part::Text(text)) => text.push_str(content),
                _ => self.parts.push((*block, Part::Text(content.clone().into_owned()))),
            },
            UpstreamEvent::Reasoning { block, content } => match self.part(*block) {
                Some(Part::Reasoning { text, .. }) => text.push_str(content),
                _ => {
                    let (text, signature) = (content.clone().into_owned(), String::new());
                    self.parts.push((*block, Part::Reasoning { text, signature }));
                }
            },
            UpstreamEvent::Signature { block, signature: more } => match self.part(*block) {
                Some(Part::Reasoning { signature, .. }) => signature.push_str(more),
                _ => {
                    let (text, signature) = (String::new(), more.clone().into_owned());
                    self.parts.push((*block, Part::Reasoning { text, signature }));
                }
            },
            UpstreamEvent::Redacted { block, base64 } => match self.part(*block) {
                Some(Part::Redacted(data)) => data.push_str(base64),
                _ => self.parts.push((*block, Part::Redacted(base64.clone().into_owned()))),
            },
            UpstreamEvent::ToolUse { block, id, name } => {
                let (id, name) = (id.clone().into_owned(), name.clone().into_owned());
                self.parts.push((*block, Part::Tool { id, name, input: String::new() }));
            }
            UpstreamEvent::ToolInput { block, content } => {
                if let Some(Part::Tool { input, .. }) = self.part(*block) {
                    input.push_str(content);
                }
            }
            UpstreamEvent::Hidden | UpstreamEvent::Stop(_) | UpstreamEvent::Metadata(_) | UpstreamEvent::Other => {}
        }
    }

    fn part(&mut self, block: u32) -> Option<&mut Part> {
        self.parts.iter_mut().rev().find(|(of, _)| *of == block).map(|(_, part)| part)
    }

    /// What was said, and the calls that are asked for.
    pub(super) fn finish(self) -> (Vec<Block>, Vec<Wanted>) {
        let mut wanted = Vec::new();
        let block = |(_, part)| match part {
            Part::Text(text) => Some(Block::Text { text }),
            Part::Reasoning { text, signature } => {
                Some(Block::Reasoning { text, signature: (!signature.is_empty()).then_some(signature) })
            }
            Part::Redacted(base64) => BASE64_STANDARD.decode(base64).ok().map(|data| Block::RedactedReasoning { data }),
            Part::Tool { id, name, input } => {
                // A tool without arguments may be called without any text of them.
                let input = if input.trim().is_empty() { "{}" } else { &input };
                let input = arguments(input).and_then(|_| RawJson::new(input.trim()).ok());
                wanted.push(Wanted { id: id.clone(), name: name.clone(), input: input.clone() });
                Some(Block::ToolUse { id, name, input: input.unwrap_or_default() })
            }
        };
        let blocks = self.parts.into_iter().filter_map(block).collect();
        (blocks, wanted)
    }
}

/// Arguments, if they are an object that is not nested deeper than clients read.
pub(super) fn arguments(json: &str) -> Option<Map<String, Value>> {
    let Value::Object(object) = serde_json::from_str(json).ok()? else { return None };
    let is_flat = object.values().all(|value| depth(value) < MAX_TOOL_JSON_DEPTH);
    is_flat.then_some(object)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// The calls that are asked for in blocks that came whole.
pub(super) fn wanted_in(blocks: &[Block]) -> Vec<Wanted> {
    let call = |block: &Block| match block {
        Block::ToolUse { id, name, input } => {
            let input = arguments(input.as_str()).map(|_| input.clone());
            Some(Wanted { id: id.clone(), name: name.clone(), input })
        }
        _ => None,
    };
    blocks.iter().filter_map(call).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> RawJson {
        RawJson::new(text).unwrap()
    }

    #[test]
    fn events_become_blocks_in_their_order() {
        let mut assembly = Assembly::default();
        for event in [
            UpstreamEvent::Reasoning { block: 0, content: "h".into() },
            UpstreamEvent::Reasoning { block: 0, content: "m".into() },
            UpstreamEvent::Signature { block: 0, signature: "si".into() },
            UpstreamEvent::Signature { block: 0, signature: "g".into() },
            UpstreamEvent::Redacted { block: 1, base64: "eHk=".into() },
            UpstreamEvent::Text { block: 2, content: "I ".into() },
            UpstreamEvent::Text { block: 2, content: "look".into() },
            UpstreamEvent::ToolUse { block: 3, id: "a".into(), name: "get".into() },
            UpstreamEvent::ToolUse { block: 4, id: "b".into(), name: "none".into() },
            UpstreamEvent::ToolInput { block: 3, content: r#"{"x""#.into() },
            UpstreamEvent::ToolInput { block: 3, content: ":1}".into() },
        ] {
            assembly.take(&event);
        }
        let (blocks, wanted) = assembly.finish();
        assert_eq!(
            blocks,
            [
                Block::Reasoning { text: "hm".into(), signature: Some("sig".into()) },
                Block::RedactedReasoning { data: b"xy".to_vec() },
                Block::Text { text: "I look".into() },
                Block::ToolUse { id: "a".into(), name: "get".into(), input: json(r#"{"x":1}"#) },
                Block::ToolUse { id: "b".into(), name: "none".into(), input: json("{}") },
            ],
        );
        assert_eq!(wanted, wanted_in(&blocks));
    }

    #[test]
    fn arguments_that_are_no_object_are_none_and_the_history_has_an_empty_one() {
        let deep = format!("{{\"x\":{}{}}}", "[".repeat(MAX_TOOL_JSON_DEPTH), "]".repeat(MAX_TOOL_JSON_DEPTH));
        for input in [r#"{"x":"#, "[1]", "nothing", &deep] {
            let mut assembly = Assembly::default();
            assembly.take(&UpstreamEvent::ToolUse { block: 0, id: "a".into(), name: "get".into() });
            assembly.take(&UpstreamEvent::ToolInput { block: 0, content: input.to_owned().into() });
            let (blocks, wanted) = assembly.finish();
            assert_eq!(wanted[0].input, None, "{input}");
            assert_eq!(blocks, [Block::ToolUse { id: "a".into(), name: "get".into(), input: json("{}") }]);
        }
    }
}
