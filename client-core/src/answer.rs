//! An answer and how much of it the consumer has.

use protocol::{Answer, AnswerState, Applied, Part, TurnEvent};

use crate::request::Piece;

/// An answer under way.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    answer: Answer,
    /// For each part: the bytes of its text that were given away; for a tool call, 1 if it was given as it stands now.
    taken: Vec<usize>,
}

impl Progress {
    /// An answer that the consumer has up to event `seq` already.
    pub(crate) fn held(seq: u64, parts: Vec<Part>) -> Self {
        let length = |part: &Part| match part {
            Part::Text { text } | Part::Reasoning { text } => text.len(),
            Part::ToolUse(_) => 1,
        };
        Self {
            taken: parts.iter().map(length).collect(),
            answer: Answer::from_snapshot(seq, AnswerState::Streaming, parts),
        }
    }

    pub(crate) fn answer(&self) -> &Answer {
        &self.answer
    }

    pub(crate) fn apply(&mut self, first: u64, seq: u64, event: &TurnEvent<'_>) -> Applied {
        let applied = self.answer.apply(first, seq, event);
        if applied == Applied::Next {
            self.taken.resize(self.answer.parts().len(), 0);
            let changed = match event {
                TurnEvent::ToolUse { call } => {
                    let same =
                        |part: &Part| matches!(part, Part::ToolUse(known) if known.tool_use_id == call.tool_use_id);
                    self.answer.parts().iter().position(same)
                }
                TurnEvent::ToolInput { part, .. } => {
                    let at = *part as usize;
                    matches!(self.answer.parts().get(at), Some(Part::ToolUse(_))).then_some(at)
                }
                _ => None,
            };
            if let Some(at) = changed {
                self.taken[at] = 0;
            }
        }
        applied
    }

    /// Takes the answer up to event `seq` as a whole, in place of what is known. `false`, and no change, if it does not begin with
    /// what was given away already.
    pub(crate) fn replace(&mut self, seq: u64, state: AnswerState, parts: Vec<Part>) -> bool {
        let begins = self.taken.iter().enumerate().all(|(at, &taken)| {
            taken == 0
                || match (&self.answer.parts()[at], parts.get(at)) {
                    (Part::Text { text: old }, Some(Part::Text { text: new }))
                    | (Part::Reasoning { text: old }, Some(Part::Reasoning { text: new })) => {
                        new.as_bytes().starts_with(&old.as_bytes()[..taken])
                    }
                    (Part::ToolUse(old), Some(Part::ToolUse(new))) => old.tool_use_id == new.tool_use_id,
                    _ => false,
                }
        });
        if begins {
            for (at, part) in parts.iter().enumerate() {
                if let Part::ToolUse(new) = part
                    && !matches!(self.answer.parts().get(at), Some(Part::ToolUse(old)) if old == new)
                    && let Some(taken) = self.taken.get_mut(at)
                {
                    *taken = 0;
                }
            }
            self.taken.resize(parts.len(), 0);
            self.answer = Answer::from_snapshot(seq, state, parts);
        }
        begins
    }

    /// Gives what is new, part by part. Of a call that went through several states only the last is given.
    pub(crate) fn take(&mut self, mut visit: impl FnMut(Piece<'_>)) {
        for (part, taken) in self.answer.parts().iter().zip(&mut self.taken) {
            match part {
                Part::Text { text } if *taken < text.len() => {
                    visit(Piece::Text(text.get(*taken..).unwrap_or_default()));
                    *taken = text.len();
                }
                Part::Reasoning { text } if *taken < text.len() => {
                    visit(Piece::Reasoning(text.get(*taken..).unwrap_or_default()));
                    *taken = text.len();
                }
                Part::ToolUse(call) if *taken == 0 => {
                    visit(Piece::Tool(call));
                    *taken = 1;
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Part {
        Part::Text { text: text.to_owned() }
    }

    fn taken(progress: &mut Progress) -> String {
        let mut all = String::new();
        progress.take(|piece| {
            if let Piece::Text(text) = piece {
                all.push_str(text);
            }
        });
        all
    }

    #[test]
    fn news_are_joined_and_given_once() {
        let mut progress = Progress::default();
        for (seq, content) in [(1, "a"), (2, "ü"), (3, "c")] {
            assert_eq!(progress.apply(seq, seq, &TurnEvent::Text { part: 0, content }), Applied::Next);
        }
        assert_eq!((taken(&mut progress).as_str(), taken(&mut progress).as_str()), ("aüc", ""));
    }

    #[test]
    fn a_snapshot_goes_on_from_what_was_given_or_is_refused() {
        let mut progress = Progress::default();
        assert_eq!(progress.apply(1, 1, &TurnEvent::Text { part: 0, content: "ab" }), Applied::Next);
        assert_eq!(taken(&mut progress), "ab");
        assert!(!progress.replace(3, AnswerState::Streaming, vec![text("xbc")]));
        assert!(!progress.replace(3, AnswerState::Streaming, vec![]));
        assert!(progress.replace(3, AnswerState::Streaming, vec![text("abc"), text("d")]));
        assert_eq!(taken(&mut progress), "cd");
    }
}
