//! A list of steps: which calls each is for, and what it makes them do.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::behaviour::Behaviour;
use crate::chat::{Block, Chat};
use crate::ledger::Operation;

/// The first step that fits a call and is not used up decides; without one, prompt prefixes and the usual answer do.
///
/// ```
/// use bedrock_emulator::{Behaviour, ErrorType, Script, Step};
/// let script = Script::new()
///     .step(Step::of(Behaviour::error(ErrorType::Throttling)).when_prompt("hello").times(1))
///     .step(Step::of(Behaviour::text("Hello!")));
/// let json = r#"{"steps":[
///   {"when":{"prompt":"hello"},"times":1,"do":{"fault":{"kind":"errorBefore","error":"ThrottlingException"}}},
///   {"do":{"text":"Hello!"}}]}"#;
/// assert_eq!(json.parse::<Script>().unwrap(), script);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Script {
    /// In the order in which they are tried.
    pub steps: Vec<Step>,
}

/// One step of a [`Script`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// The calls it is for; every one if empty.
    #[serde(default)]
    pub when: When,
    /// How many calls it serves before it is used up; no limit if not set.
    #[serde(default)]
    pub times: Option<u32>,
    /// What it makes them do.
    #[serde(rename = "do", default)]
    pub behaviour: Behaviour,
}

/// All that is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct When {
    /// The user's last message contains this. While tools are being called it is the one that they are called for.
    pub prompt: Option<String>,
    /// A tool's result, one of those that the conversation ends with, contains this text.
    pub tool_result: Option<String>,
    /// How many times tools have answered since the user's last message: 0 is the call that asks for the first tools.
    pub round: Option<u32>,
    /// The model id of the request contains this.
    pub model: Option<String>,
    /// The number of the call since this script was set, from 1.
    pub call: Option<u64>,
    /// The operation.
    pub operation: Option<Operation>,
}

impl Script {
    /// A script without steps.
    pub fn new() -> Self {
        Script::default()
    }

    /// The same with one more step, tried after the others.
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// One behaviour for every call.
    pub fn always(behaviour: Behaviour) -> Self {
        Script::new().step(Step::of(behaviour))
    }
}

impl Step {
    /// A step for every call.
    pub fn of(behaviour: Behaviour) -> Self {
        Step { behaviour, ..Step::default() }
    }

    /// Only where the last user message contains this.
    pub fn when_prompt(mut self, text: impl Into<String>) -> Self {
        self.when.prompt = Some(text.into());
        self
    }

    /// Only where a tool's result that the conversation ends with contains this.
    pub fn when_tool_result(mut self, text: impl Into<String>) -> Self {
        self.when.tool_result = Some(text.into());
        self
    }

    /// Only after tools have answered so many times since the user's last message.
    pub fn when_round(mut self, round: u32) -> Self {
        self.when.round = Some(round);
        self
    }

    /// Only where the model id contains this.
    pub fn when_model(mut self, text: impl Into<String>) -> Self {
        self.when.model = Some(text.into());
        self
    }

    /// Only the call of this number, from 1.
    pub fn when_call(mut self, number: u64) -> Self {
        self.when.call = Some(number);
        self
    }

    /// Only this operation.
    pub fn when_operation(mut self, operation: Operation) -> Self {
        self.when.operation = Some(operation);
        self
    }

    /// Only so many calls.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }
}

/// The text is not a script; the message says where and why.
#[derive(Debug, thiserror::Error)]
#[error("not a script: {0}")]
pub struct ScriptError(#[from] serde_json::Error);

/// Reads the JSON form.
impl FromStr for Script {
    type Err = ScriptError;

    fn from_str(json: &str) -> Result<Self, ScriptError> {
        Ok(serde_json::from_str(json)?)
    }
}

/// What steps are chosen by.
pub(crate) struct Asked<'a> {
    operation: Operation,
    model_id: &'a str,
    prompt: &'a str,
    /// The text of each result that the conversation ends with.
    results: Vec<String>,
    round: u32,
}

impl<'a> Asked<'a> {
    pub(crate) fn of(chat: &Chat, operation: Operation, model_id: &'a str, prompt: &'a str) -> Self {
        let text = |block: &Block| match block {
            Block::Text(text) => text.clone(),
            Block::Json(value) => value.to_string(),
            _ => String::new(),
        };
        let results =
            chat.last_results().map(|(_, content, _)| content.iter().map(text).collect::<Vec<_>>().join("\n"));
        Asked { operation, model_id, prompt, results: results.collect(), round: chat.rounds() }
    }
}

/// A script as it is played: counts the calls and the uses of each step.
#[derive(Debug, Default)]
pub(crate) struct Player {
    script: Script,
    used: Vec<u32>,
    calls: u64,
}

impl Player {
    pub(crate) fn new(script: Script) -> Self {
        Player { used: vec![0; script.steps.len()], script, calls: 0 }
    }

    /// What the next call is to do, if a step is for it.
    pub(crate) fn play(&mut self, asked: &Asked<'_>) -> Option<Behaviour> {
        self.calls += 1;
        let fits = |when: &When| {
            when.prompt.as_ref().is_none_or(|text| asked.prompt.contains(text.as_str()))
                && when
                    .tool_result
                    .as_ref()
                    .is_none_or(|text| asked.results.iter().any(|result| result.contains(text.as_str())))
                && when.round.is_none_or(|round| round == asked.round)
                && when.model.as_ref().is_none_or(|text| asked.model_id.contains(text.as_str()))
                && when.call.is_none_or(|number| number == self.calls)
                && when.operation.is_none_or(|wanted| wanted == asked.operation)
        };
        let mut steps = self.script.steps.iter().zip(&mut self.used);
        let (step, used) =
            steps.find(|(step, used)| step.times.is_none_or(|times| **used < times) && fits(&step.when))?;
        *used += 1;
        Some(step.behaviour.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_that_fits_and_is_not_used_up_decides() {
        let script = Script::new()
            .step(Step::of(Behaviour::text("a")).when_prompt("one").times(2))
            .step(Step::of(Behaviour::text("b")).when_model("opus"))
            .step(Step::of(Behaviour::text("c")).when_call(4))
            .step(Step::of(Behaviour::text("d")).when_operation(Operation::Converse));
        let mut player = Player::new(script);
        let mut play = |operation, model_id, prompt| {
            player.play(&Asked { operation, model_id, prompt, results: Vec::new(), round: 0 }).and_then(|b| b.text)
        };
        let stream = Operation::ConverseStream;
        assert_eq!(play(stream, "opus", "one").as_deref(), Some("a"));
        assert_eq!(play(stream, "haiku", "say one").as_deref(), Some("a"));
        assert_eq!(play(stream, "opus", "one").as_deref(), Some("b"));
        assert_eq!(play(stream, "haiku", "two").as_deref(), Some("c"));
        assert_eq!(play(stream, "haiku", "two"), None);
        assert_eq!(play(Operation::Converse, "haiku", "two").as_deref(), Some("d"));
    }

    #[test]
    fn a_misspelt_field_is_an_error_and_not_ignored() {
        for json in
            [r#"{"steps":[{"do":{"txt":"a"}}]}"#, r#"{"steps":[{"do":{"fault":{"kind":"melt"}}}]}"#, r#"{"step":[]}"#]
        {
            assert!(json.parse::<Script>().is_err(), "{json}");
        }
    }

    #[test]
    fn the_scripts_of_the_readme_are_scripts() {
        let blocks: Vec<&str> = include_str!("../README.md").split("```json\n").skip(1).collect();
        for block in &blocks {
            let json = block.split("```").next().unwrap_or_default();
            json.parse::<Script>().unwrap_or_else(|error| panic!("{error} in {json}"));
        }
        assert_eq!(blocks.len(), 2);
    }

    #[test]
    fn a_step_may_wait_for_results_of_tools() {
        let script = Script::new()
            .step(Step::of(Behaviour::text("a")).when_prompt("cost").when_round(0))
            .step(Step::of(Behaviour::text("b")).when_tool_result("12 dollars"))
            .step(Step::of(Behaviour::text("c")).when_prompt("cost").when_round(1));
        let mut player = Player::new(script);
        let mut play = |round, results: &[&str]| {
            let results = results.iter().map(|text| (*text).to_owned()).collect();
            let asked = Asked { operation: Operation::Converse, model_id: "m", prompt: "the cost", results, round };
            player.play(&asked).and_then(|b| b.text)
        };
        assert_eq!(play(0, &[]).as_deref(), Some("a"));
        assert_eq!(play(1, &["none", "it was 12 dollars"]).as_deref(), Some("b"));
        assert_eq!(play(1, &["nothing"]).as_deref(), Some("c"));
        assert_eq!(play(2, &["nothing"]), None);
    }
}
