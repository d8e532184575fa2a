//! From what a conversation holds to what Bedrock accepts.
//!
//! Bedrock wants a conversation that starts with the user, alternates, and has no blank text; a stored one can have answers that
//! failed before anything of them came or with nothing but reasoning, messages sent twice after a failure, and answers that were
//! cut short. This is the one place where that is repaired, before every call.

use protocol::{Message, Role, StopReason};

use crate::bedrock::Turn;

/// The conversation to send. What a guardrail blocked, question and answer, is left out: it looks at all that is sent, and would block
/// every further message for it. Of the rest of `messages`, oldest first, at most the last `limit`, and whole turns only, so that it starts with
/// the user. The last message must be the user's; the result then ends with it, and is empty only if it is blank.
pub fn conversation(messages: &[Message], limit: usize) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    for message in messages {
        if message.stop_reason == Some(StopReason::GuardrailIntervened) {
            turns.pop_if(|turn| turn.role == Role::User);
            continue;
        }
        let text = message.content.trim();
        if text.is_empty() {
            continue;
        }
        match turns.last_mut() {
            Some(last) if last.role == message.role => {
                // The same message again is a retry after a failure, not more to say.
                if last.text != text {
                    last.text.push_str("\n\n");
                    last.text.push_str(text);
                }
            }
            _ => turns.push(Turn { role: message.role, text: text.to_owned() }),
        }
    }
    while turns.last().is_some_and(|turn| turn.role == Role::Assistant) {
        turns.pop();
    }
    let mut start = turns.len().saturating_sub(limit.max(1));
    while turns.get(start).is_some_and(|turn| turn.role == Role::Assistant) {
        start += 1;
    }
    turns.drain(..start);
    turns
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use protocol::{MessageId, Timestamp};

    use super::*;

    fn message(role: Role, content: &str) -> Message {
        Message {
            message_id: MessageId::new("m").unwrap(),
            request_id: None,
            content: content.to_owned(),
            attachments: Vec::new(),
            role,
            timestamp: Timestamp::from_unix_ms(0),
            usage: None,
            model: None,
            stop_reason: None,
            parts: Vec::new(),
            error: None,
        }
    }

    fn repaired(messages: &[(Role, &str)], limit: usize) -> Vec<String> {
        let messages: Vec<_> = messages.iter().map(|&(role, text)| message(role, text)).collect();
        conversation(&messages, limit).into_iter().map(|turn| turn.text).collect()
    }

    use Role::{Assistant as A, User as U};

    #[test]
    fn the_last_messages_are_counted_in_whole_turns() {
        let all = [(U, "1"), (A, "2"), (U, "3"), (A, "4"), (U, "5")];
        assert_eq!(repaired(&all, 10), ["1", "2", "3", "4", "5"]);
        assert_eq!(repaired(&all, 4), ["3", "4", "5"], "2 without 1 is no turn");
        assert_eq!(repaired(&all, 3), ["3", "4", "5"]);
        assert_eq!(repaired(&all, 1), ["5"]);
        assert_eq!(repaired(&all, 0), ["5"]);
    }

    #[test]
    fn a_retry_after_a_failure_is_said_once() {
        assert_eq!(repaired(&[(U, "hi"), (A, ""), (U, "hi")], 10), ["hi"]);
        assert_eq!(repaired(&[(U, "hi"), (A, " "), (U, "there")], 10), ["hi\n\nthere"]);
        assert_eq!(repaired(&[(U, "hi"), (A, "part of"), (U, "hi")], 10), ["hi", "part of", "hi"]);
    }

    #[test]
    fn what_a_guardrail_blocked_is_not_sent_again() {
        let blocked = Message { stop_reason: Some(StopReason::GuardrailIntervened), ..message(A, "no") };
        let plain = |role, text| message(role, text);
        let all = [plain(U, "1"), plain(A, "2"), plain(U, "bad"), blocked.clone(), plain(U, "3")];
        let texts = |messages: &[Message]| conversation(messages, 10).into_iter().map(|t| t.text).collect::<Vec<_>>();
        assert_eq!(texts(&all), ["1", "2", "3"]);
        assert_eq!(texts(&all[2..]), ["3"]);
        let failed_before = [plain(U, "worse"), plain(U, "bad"), blocked.clone(), plain(U, "3")];
        assert_eq!(texts(&failed_before), ["3"]);
        assert_eq!(texts(&[blocked, plain(U, "3")]), ["3"]);
    }

    #[test]
    fn a_conversation_starts_with_the_user() {
        assert_eq!(repaired(&[(A, "hello"), (U, "hi")], 10), ["hi"]);
        assert_eq!(repaired(&[(A, "hello")], 10), [""; 0]);
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn whatever_is_stored_becomes_what_bedrock_accepts(
            stored in prop::collection::vec((any::<bool>(), "[ a-c\n]{0,3}"), 0..30),
            limit in 0usize..12,
        ) {
            let mut messages: Vec<_> =
                stored.iter().map(|(user, text)| message(if *user { U } else { A }, text)).collect();
            messages.push(message(U, "last"));
            let turns = conversation(&messages, limit);
            prop_assert!(turns.len() <= limit.max(1));
            prop_assert_eq!(turns[0].role, U);
            prop_assert!(turns.last().unwrap().text.ends_with("last"));
            prop_assert!(turns.windows(2).all(|pair| pair[0].role != pair[1].role));
            prop_assert!(turns.iter().all(|turn| !turn.text.trim().is_empty()));
        }
    }
}
