//! The one reducer: numbered events in, a message out. The proxy folds what it stores, the client folds what it shows.

use crate::{ErrorData, Part, StopReason, ToolUse, TurnEvent, Usage};

/// Where an answer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub enum AnswerState {
    /// More is to come.
    Streaming,
    /// It is whole.
    Complete,
    /// It ended before its end; what there is of it is kept.
    Interrupted,
}

/// What became of an event given to [`Answer::apply`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Applied {
    /// It was the next one and is part of the answer now.
    Next,
    /// The answer has it already; nothing changed.
    Duplicate,
    /// Events before it are missing; nothing changed. Ask for those after [`Answer::seq`].
    Gap,
}

/// An answer as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    seq: u64,
    state: AnswerState,
    parts: Vec<Part>,
    stop_reason: Option<StopReason>,
    usage: Option<Usage>,
    error: Option<ErrorData>,
}

impl Default for Answer {
    fn default() -> Self {
        Self { seq: 0, state: AnswerState::Streaming, parts: Vec::new(), stop_reason: None, usage: None, error: None }
    }
}

impl Answer {
    /// An answer that was received as a whole up to event `seq`, from which a tail goes on.
    pub fn from_snapshot(seq: u64, state: AnswerState, parts: Vec<Part>) -> Self {
        Self { seq, state, parts, ..Self::default() }
    }

    /// Takes the events `first` to `seq`, joined in `event`, if they are the next ones.
    ///
    /// An answer that has ended takes nothing more. Text for a part that is of another kind starts a part of its own, so that no
    /// sequence of events, however odd, loses text.
    pub fn apply(&mut self, first: u64, seq: u64, event: &TurnEvent<'_>) -> Applied {
        if seq <= self.seq || self.state != AnswerState::Streaming {
            return Applied::Duplicate;
        }
        if first != self.seq + 1 || seq < first {
            return Applied::Gap;
        }
        self.seq = seq;
        match *event {
            TurnEvent::Text { part, content } => match self.parts.get_mut(part as usize) {
                Some(Part::Text { text }) => text.push_str(content),
                _ => self.parts.push(Part::Text { text: content.to_owned() }),
            },
            TurnEvent::Reasoning { part, content } => match self.parts.get_mut(part as usize) {
                Some(Part::Reasoning { text }) => text.push_str(content),
                _ => self.parts.push(Part::Reasoning { text: content.to_owned() }),
            },
            TurnEvent::ToolInput { part, content } => {
                // Of a call that is not known nothing is lost: its arguments come whole with it.
                if let Some(Part::ToolUse(call)) = self.parts.get_mut(part as usize)
                    && !content.is_empty()
                {
                    call.partial_input.get_or_insert_default().push_str(content);
                }
            }
            TurnEvent::ToolUse { call } => self.tool_use(call),
            TurnEvent::Complete { stop_reason, usage } => {
                self.state = AnswerState::Complete;
                self.stop_reason = Some(stop_reason);
                self.usage = Some(usage.clone());
            }
            TurnEvent::Error(error) => {
                self.state = AnswerState::Interrupted;
                self.usage.clone_from(&error.usage);
                self.error = Some(error.clone());
            }
        }
        Applied::Next
    }

    fn tool_use(&mut self, call: &ToolUse) {
        let known = self.parts.iter_mut().find_map(|part| match part {
            Part::ToolUse(known) if known.tool_use_id == call.tool_use_id => Some(known),
            _ => None,
        });
        match known {
            Some(known) => *known = call.clone(),
            None => self.parts.push(Part::ToolUse(call.clone())),
        }
    }

    /// The number of the last event that is part of the answer, 0 for none.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Where the answer stands.
    pub fn state(&self) -> AnswerState {
        self.state
    }

    /// What it consists of.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Why it ended, once it is whole.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.stop_reason
    }

    /// What it used, once that is known.
    pub fn usage(&self) -> Option<&Usage> {
        self.usage.as_ref()
    }

    /// Why it is not whole, if it failed.
    pub fn error(&self) -> Option<&ErrorData> {
        self.error.as_ref()
    }

    /// All text of the answer, its parts joined; no reasoning.
    pub fn text(&self) -> String {
        self.parts
            .iter()
            .filter_map(|part| match part {
                Part::Text { text } => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// The parts, given away.
    pub fn into_parts(self) -> Vec<Part> {
        self.parts
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn text(part: u32, content: &str) -> TurnEvent<'_> {
        TurnEvent::Text { part, content }
    }

    #[test]
    fn only_the_next_event_is_taken() {
        let mut answer = Answer::default();
        assert_eq!(answer.apply(2, 2, &text(0, "b")), Applied::Gap);
        assert_eq!(answer.apply(1, 2, &text(0, "ab")), Applied::Next);
        assert_eq!(answer.apply(1, 1, &text(0, "a")), Applied::Duplicate);
        assert_eq!(answer.apply(2, 3, &text(0, "bc")), Applied::Gap, "an overlap cannot be cut in two");
        assert_eq!(answer.apply(4, 3, &text(0, "x")), Applied::Gap);
        assert_eq!(answer.apply(3, 3, &text(0, "c")), Applied::Next);
        assert_eq!((answer.seq(), answer.text().as_str()), (3, "abc"));
    }

    #[test]
    fn an_answer_that_has_ended_takes_nothing_more() {
        let mut answer = Answer::default();
        let usage = Usage::estimate(4, 4);
        let complete = TurnEvent::Complete { stop_reason: StopReason::EndTurn, usage: &usage };
        assert_eq!(answer.apply(1, 1, &complete), Applied::Next);
        assert_eq!(answer.apply(2, 2, &text(0, "more")), Applied::Duplicate);
        assert_eq!((answer.state(), answer.text().as_str()), (AnswerState::Complete, ""));
    }

    #[test]
    fn arguments_are_those_of_the_call_and_give_way_to_the_whole_ones() {
        let call = |status, input: &str| ToolUse {
            tool_use_id: crate::ToolUseId::new("t").unwrap(),
            name: "clock".into(),
            server: None,
            input: crate::RawJson::new(input).unwrap(),
            partial_input: None,
            status,
            duration_ms: None,
            result: None,
            approved: false,
        };
        let begun = call(crate::ToolStatus::Preparing, "{}");
        let whole = call(crate::ToolStatus::Running, r#"{"zone":"UTC"}"#);
        let mut answer = Answer::default();
        assert_eq!(answer.apply(1, 1, &text(0, "Let me look.")), Applied::Next);
        assert_eq!(answer.apply(2, 2, &TurnEvent::ToolUse { call: &begun }), Applied::Next);
        for (seq, part, content) in [(3, 1, "{\"zone\":"), (4, 1, "\"UTC"), (5, 0, "not a call"), (6, 7, "no part")] {
            assert_eq!(answer.apply(seq, seq, &TurnEvent::ToolInput { part, content }), Applied::Next);
        }
        let written = ToolUse { partial_input: Some("{\"zone\":\"UTC".into()), ..begun };
        assert_eq!(answer.parts(), [Part::Text { text: "Let me look.".into() }, Part::ToolUse(written)]);
        assert_eq!(answer.apply(7, 7, &TurnEvent::ToolUse { call: &whole }), Applied::Next);
        assert_eq!(answer.parts()[1], Part::ToolUse(whole));
    }

    #[test]
    fn parts_of_different_kinds_stay_apart() {
        let mut answer = Answer::default();
        assert_eq!(answer.apply(1, 1, &TurnEvent::Reasoning { part: 0, content: "hm" }), Applied::Next);
        assert_eq!(answer.apply(2, 2, &text(1, "yes")), Applied::Next);
        assert_eq!(answer.apply(3, 3, &text(0, "!")), Applied::Next);
        assert_eq!(answer.text(), "yes!");
        assert_eq!(answer.parts()[0], Part::Reasoning { text: "hm".into() });
    }
}
