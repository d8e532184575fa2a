use protocol::{MessageId, Timestamp, ToolStatus, ToolUseId};

use super::*;

use Role::{Assistant as A, User as U};

const READER: Reader<'static> = Reader { model: "m", has_tools: true };

fn message(role: Role, content: &str) -> Message {
    Message {
        message_id: MessageId::new("m").unwrap(),
        request_id: None,
        content: content.to_owned(),
        attachments: Vec::new(),
        role,
        timestamp: Timestamp::from_unix_ms(0),
        usage: None,
        model: (role == A).then(|| "m".to_owned()),
        stop_reason: None,
        parts: Vec::new(),
        error: None,
    }
}

fn plain(role: Role, content: &str) -> Kept {
    message(role, content).into()
}

fn said(text: &str) -> Block {
    Block::Text { text: text.to_owned() }
}

fn call(id: &str) -> Block {
    Block::ToolUse { id: id.to_owned(), name: "s/t".to_owned(), input: RawJson::default() }
}

fn result(id: &str, text: &str) -> Block {
    Block::ToolResult { id: id.to_owned(), content: vec![said(text)], failed: false }
}

fn turn(role: Role, blocks: Vec<Block>) -> Turn {
    Turn { role, blocks }
}

/// An answer with these turns.
fn answer(turns: Vec<Turn>) -> Kept {
    Kept { message: message(A, "shown"), turns }
}

/// Each turn in words: `+` for a call, `=` for a result, `!` for a failed one.
fn words(turns: &[Turn]) -> Vec<String> {
    let block = |block: &Block| match block {
        Block::Text { text } => text.clone(),
        Block::Reasoning { text, .. } => format!("({text})"),
        Block::RedactedReasoning { .. } => "(…)".to_owned(),
        Block::ToolUse { id, .. } => format!("+{id}"),
        Block::ToolResult { id, failed, .. } => format!("{}{id}", if *failed { '!' } else { '=' }),
        Block::Image { .. } => "[image]".to_owned(),
        Block::Document { name, .. } => format!("[{name}]"),
    };
    turns.iter().map(|turn| turn.blocks.iter().map(block).collect::<Vec<_>>().join(" ")).collect()
}

fn repaired(messages: &[Kept], limit: usize) -> Vec<String> {
    words(&conversation(messages, limit, READER))
}

fn repaired_texts(messages: &[(Role, &str)], limit: usize) -> Vec<String> {
    let messages: Vec<_> = messages.iter().map(|&(role, text)| plain(role, text)).collect();
    repaired(&messages, limit)
}

#[test]
fn the_last_messages_are_counted_in_whole_turns() {
    let all = [(U, "1"), (A, "2"), (U, "3"), (A, "4"), (U, "5")];
    assert_eq!(repaired_texts(&all, 10), ["1", "2", "3", "4", "5"]);
    assert_eq!(repaired_texts(&all, 4), ["3", "4", "5"], "2 without 1 is no turn");
    assert_eq!(repaired_texts(&all, 3), ["3", "4", "5"]);
    assert_eq!(repaired_texts(&all, 1), ["5"]);
    assert_eq!(repaired_texts(&all, 0), ["5"]);
}

#[test]
fn a_retry_after_a_failure_is_said_once() {
    assert_eq!(repaired_texts(&[(U, "hi"), (A, ""), (U, "hi")], 10), ["hi"]);
    assert_eq!(repaired_texts(&[(U, "hi"), (A, " "), (U, "there")], 10), ["hi\n\nthere"]);
    assert_eq!(repaired_texts(&[(U, "hi"), (A, "part of"), (U, "hi")], 10), ["hi", "part of", "hi"]);
}

#[test]
fn what_a_guardrail_blocked_is_not_sent_again() {
    let mut blocked = plain(A, "no");
    blocked.message.stop_reason = Some(StopReason::GuardrailIntervened);
    let all = [plain(U, "1"), plain(A, "2"), plain(U, "bad"), blocked.clone(), plain(U, "3")];
    assert_eq!(repaired(&all, 10), ["1", "2", "3"]);
    assert_eq!(repaired(&all[2..], 10), ["3"]);
    let failed_before = [plain(U, "worse"), plain(U, "bad"), blocked.clone(), plain(U, "3")];
    assert_eq!(repaired(&failed_before, 10), ["3"]);
    assert_eq!(repaired(&[blocked, plain(U, "3")], 10), ["3"]);
}

#[test]
fn a_conversation_starts_with_the_user() {
    assert_eq!(repaired_texts(&[(A, "hello"), (U, "hi")], 10), ["hi"]);
    assert_eq!(repaired_texts(&[(A, "hello")], 10), [""; 0]);
}

#[test]
fn calls_and_results_are_sent_again_under_the_names_that_bedrock_takes() {
    let turns =
        vec![turn(A, vec![said("I look"), call("a")]), turn(U, vec![result("a", "1")]), turn(A, vec![said("1")])];
    let sent = conversation(&[plain(U, "how many?"), answer(turns), plain(U, "sure?")], 10, READER);
    assert_eq!(words(&sent), ["how many?", "I look +a", "=a", "1", "sure?"]);
    assert!(matches!(&sent[1].blocks[1], Block::ToolUse { name, .. } if name == "s__t"));
}

#[test]
fn an_exchange_counts_as_two_messages_however_many_rounds_it_had() {
    let turns = vec![turn(A, vec![call("a")]), turn(U, vec![result("a", "1")]), turn(A, vec![said("1")])];
    let all = [plain(U, "0"), plain(A, "0"), plain(U, "how many?"), answer(turns), plain(U, "sure?")];
    assert_eq!(repaired(&all, 3), ["how many?", "+a", "=a", "1", "sure?"]);
}

#[test]
fn a_call_without_a_result_gets_one_that_says_so() {
    let cut = answer(vec![turn(A, vec![call("a"), call("b")]), turn(U, vec![result("b", "1")])]);
    assert_eq!(repaired(&[plain(U, "q"), cut, plain(U, "go on")], 10), ["q", "+a +b", "!a =b go on"]);
    let cut = answer(vec![turn(A, vec![call("a")])]);
    assert_eq!(repaired(&[plain(U, "q"), cut, plain(U, "go on")], 10), ["q", "+a", "!a go on"]);
}

#[test]
fn results_come_first_in_the_order_of_their_calls_and_none_is_there_twice_or_without_a_call() {
    let odd = answer(vec![
        turn(A, vec![call("a"), call("b"), call("a")]),
        turn(U, vec![said("by the way"), result("b", "2"), result("x", "?"), result("a", "1"), result("a", "1")]),
        turn(A, vec![call("b"), said("done")]),
        turn(U, vec![result("b", "again")]),
    ]);
    assert_eq!(
        repaired(&[plain(U, "q"), odd, plain(U, "and?")], 10),
        ["q", "+a +b", "=a =b by the way", "done", "and?"]
    );
}

#[test]
fn an_answer_of_which_only_the_shown_is_kept_is_sent_by_that() {
    let status = |status, text: &str| ToolUse {
        tool_use_id: ToolUseId::new("a").unwrap(),
        name: "t".to_owned(),
        server: Some("s".to_owned()),
        input: RawJson::default(),
        partial_input: None,
        status,
        duration_ms: None,
        result: super::super::log::shown(&ToolResult { text: text.to_owned(), ..ToolResult::default() }),
        approved: false,
    };
    let mut interrupted = plain(A, "I look");
    interrupted.message.parts = vec![
        Part::Reasoning { text: "hm".into() },
        Part::Text { text: "I look".into() },
        Part::ToolUse(status(ToolStatus::UnknownOutcome, "gone")),
    ];
    let all = [plain(U, "q"), interrupted, plain(U, "go on")];
    assert_eq!(repaired(&all, 10), ["q", "I look +a", "!a go on"]);
}

#[test]
fn reasoning_goes_back_to_the_model_that_signed_it_and_to_no_other() {
    let turns = vec![
        turn(
            A,
            vec![
                Block::Reasoning { text: "hm".into(), signature: Some("sig".into()) },
                Block::RedactedReasoning { data: vec![1] },
                call("a"),
            ],
        ),
        turn(U, vec![result("a", "1")]),
        turn(A, vec![Block::Reasoning { text: "unsigned".into(), signature: None }, said("1")]),
    ];
    let all = [plain(U, "q"), answer(turns), plain(U, "next")];
    assert_eq!(repaired(&all, 10), ["q", "(hm) (…) +a", "=a", "1", "next"]);
    let other = conversation(&all, 10, Reader { model: "other", ..READER });
    assert_eq!(words(&other), ["q", "+a", "=a", "1", "next"]);
}

#[test]
fn without_tools_calls_are_told_in_words() {
    let turns = vec![turn(A, vec![call("a")]), turn(U, vec![result("a", "42")]), turn(A, vec![said("It is 42.")])];
    let all = [plain(U, "q"), answer(turns), plain(U, "next")];
    let sent = words(&conversation(&all, 10, Reader { has_tools: false, ..READER }));
    assert_eq!(sent, ["q", "[The tool s/t was called with {}]", "[It returned: 42]", "It is 42.", "next"]);
}

#[test]
fn a_result_is_cut_once_its_question_is_answered() {
    let long = "x".repeat(OLD_RESULT_BYTES + 1);
    let image = Block::Image { format: "png".into(), data: vec![1] };
    let content = vec![said(&long), image, Block::Document { format: "txt".into(), name: "a".into(), data: vec![1] }];
    let results = Block::ToolResult { id: "a".into(), content, failed: false };
    let turns = vec![turn(A, vec![call("a")]), turn(U, vec![results]), turn(A, vec![said("1")])];
    let sent = conversation(&[plain(U, "q"), answer(turns), plain(U, "next")], 10, READER);
    let Block::ToolResult { content, .. } = &sent[2].blocks[0] else { panic!("{sent:?}") };
    let texts = words(&[turn(U, content.clone())]);
    assert!(
        texts[0].starts_with("xxx")
            && texts[0].contains("… (there was more) [An image was here.] [The document a was here.]")
    );
}

#[test]
fn a_result_that_is_empty_says_so() {
    let empty = Block::ToolResult { id: "a".into(), content: vec![said(" ")], failed: false };
    let turns = vec![turn(A, vec![call("a")]), turn(U, vec![empty]), turn(A, vec![said("1")])];
    let sent = conversation(&[plain(U, "q"), answer(turns), plain(U, "next")], 10, READER);
    assert!(
        matches!(&sent[2].blocks[0], Block::ToolResult { content, .. } if *content == [said("(It returned nothing.)")])
    );
}

#[test]
fn files_that_were_never_answered_are_not_sent_with_another_question() {
    let image = || Block::Image { format: "png".into(), data: vec![1] };
    let asked = |text: &str| Kept { message: message(U, text), turns: vec![turn(U, vec![image(), said(text)])] };
    assert_eq!(repaired(&[asked("this?"), asked("this?")], 10), ["[image] this?"], "but with the same one");
    assert_eq!(repaired(&[asked("this?"), plain(U, "well?")], 10), ["[A file was here.] this?\n\nwell?"]);
}

#[test]
fn the_latest_documents_are_sent_under_names_of_their_own() {
    let document = |name: &str| Block::Document { format: "txt".into(), name: name.to_owned(), data: vec![1] };
    let question = |names: &[&str]| Kept {
        message: message(U, ""),
        turns: vec![turn(U, names.iter().map(|name| document(name)).chain([said("?")]).collect())],
    };
    let all = [question(&["old.txt", "a.txt"]), plain(A, "ok"), question(&["a.txt", "b_ü?.md", "", "c"])];
    let sent = repaired(&all, 10);
    assert_eq!(sent, ["[The document old.txt was here.] [a txt (2)] ?", "ok", "[a txt] [b md] [document] [c] ?"]);
}
