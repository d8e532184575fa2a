//! What a page holds of an answer.

use client_core::RequestError;
use protocol::{Message, Part, StopReason, Usage};
use serde_json::Value;

/// An answer, or what there is of it.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// The pieces, joined.
    pub(crate) text: String,
    pub(crate) reasoning: String,
    pub(crate) message_id: String,
    /// The text as a whole, why it ended and what it used.
    pub(crate) done: Option<(String, StopReason, Usage)>,
    pub(crate) failed: Option<RequestError>,
    /// The reply, for a request that has one.
    pub(crate) reply: Option<Value>,
    /// Pieces are taken only at the end.
    pub(crate) late: bool,
}

/// An answer that has ended without an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) text: String,
    pub(crate) reasoning: String,
    pub(crate) stop_reason: StopReason,
    pub(crate) usage: Usage,
}

impl Held {
    /// One that begins with this part of it.
    pub(crate) fn begun(message: &Value) -> Self {
        let message: Message = serde_json::from_value(message.clone()).expect("a message");
        let reasoning = reasoning(&message);
        Self { text: message.content, reasoning, ..Self::default() }
    }

    /// How much has come.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len() + self.reasoning.len()
    }

    pub(crate) fn ended(&self) -> bool {
        self.done.is_some() || self.failed.is_some() || self.reply.is_some()
    }

    /// How it ended, `what` being for people to read.
    pub(crate) fn end(&self, what: &str) -> Ended {
        assert!(self.failed.is_none(), "{what}: {:?}", self.failed);
        match (&self.reply, &self.done) {
            (Some(reply), _) => Ended::stored(&reply["message"]),
            (None, Some((whole, stop_reason, usage))) => {
                assert_eq!(&self.text, whole, "{what}: the pieces are the whole");
                let (text, reasoning) = (whole.clone(), self.reasoning.clone());
                Ended { text, reasoning, stop_reason: *stop_reason, usage: usage.clone() }
            }
            (None, None) => panic!("{what} has not ended"),
        }
    }
}

impl Ended {
    /// An answer as the proxy keeps it.
    pub(crate) fn stored(message: &Value) -> Self {
        let message: Message = serde_json::from_value(message.clone()).expect("a message");
        let reasoning = reasoning(&message);
        Self {
            text: message.content,
            reasoning,
            stop_reason: message.stop_reason.expect("why it ended"),
            usage: message.usage.expect("what it used"),
        }
    }

    pub(crate) fn was_stopped(&self) -> bool {
        self.stop_reason == StopReason::Cancelled
    }
}

fn reasoning(message: &Message) -> String {
    let text = |part: &Part| match part {
        Part::Reasoning { text } => Some(text.clone()),
        _ => None,
    };
    message.parts.iter().filter_map(text).collect()
}
