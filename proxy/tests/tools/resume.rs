//! An answer with tools is followed anew from every point of it, and is the same each time.

use protocol::{Answer, AnswerState, ErrorData, StopReason, ToolUse, TurnEvent, Usage};
use serde_json::json;

use crate::{calling, common::Frame, free, one, proxy, server::Does};

/// Folds frames as a client does.
fn fold(mut answer: Answer, frames: &[Frame]) -> Answer {
    for frame in frames {
        let data = &frame.data;
        let number = |name: &str| data[name].as_u64().expect("a number");
        let (part, content) = (data["part"].as_u64().unwrap_or(0) as u32, data["content"].as_str().unwrap_or(""));
        let first = data["first"].as_u64().unwrap_or_else(|| number("seq"));
        let applied = match frame.kind.as_str() {
            "chat.message_stream" => answer.apply(first, number("seq"), &TurnEvent::Text { part, content }),
            "chat.reasoning_stream" => answer.apply(first, number("seq"), &TurnEvent::Reasoning { part, content }),
            "chat.tool_input_stream" => answer.apply(first, number("seq"), &TurnEvent::ToolInput { part, content }),
            "chat.tool_use" => {
                let call: ToolUse = serde_json::from_value(data.clone()).expect("a call");
                answer.apply(first, number("seq"), &TurnEvent::ToolUse { call: &call })
            }
            "chat.message_complete" => {
                let usage: Usage = serde_json::from_value(data["usage"].clone()).expect("usage");
                let stop_reason = StopReason::from_text(frame.str("stopReason"));
                answer.apply(first, number("seq"), &TurnEvent::Complete { stop_reason, usage: &usage })
            }
            "chat.error" => {
                let error: ErrorData = serde_json::from_value(data.clone()).expect("an error");
                answer.apply(first, number("seq"), &TurnEvent::Error(&error))
            }
            other => panic!("{other} is no event"),
        };
        assert_eq!(applied, protocol::Applied::Next, "{frame:?}");
    }
    answer
}

#[tokio::test]
async fn from_every_event_on_it_is_the_same_answer() {
    let server = one("echo", Does::Echoes).await;
    let asks =
        [("echo", json!({ "x": 1 })), ("nothing", json!({ "text": "more than one delta of arguments, I hope" }))];
    let proxy = proxy(&server, free(), &[], calling(&asks, "It is 1, and that is all there is to say.")).await;
    let mut client = proxy.connect().await;
    let read = client.chat("1", "s", "how many?").await;
    let whole = fold(Answer::default(), &read.frames);
    assert_eq!(whole.state(), AnswerState::Complete);
    for cut in 0..read.frames.len() {
        let held = fold(Answer::default(), &read.frames[..cut]);
        let after = held.seq();
        let mut other = proxy.connect().await;
        other.send("r", "chat.resume", json!({ "messageId": read.message_id(), "after": after })).await;
        let rest = other.answer_after(after).await;
        assert_eq!(fold(held, &rest.frames), whole, "after {after}");
    }
    // And what is kept is the same as well.
    let history = client.history("s").await;
    let parts: Vec<protocol::Part> = serde_json::from_value(history["messages"][1]["parts"].clone()).expect("parts");
    assert_eq!(parts, whole.parts());
}
