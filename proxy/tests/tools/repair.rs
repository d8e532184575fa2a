//! Ten thousand conversations as odd as they get, repaired and sent: Bedrock's rules take each of them.

use aws_credential_types::Credentials;
use base64::prelude::{BASE64_STANDARD, Engine};
use bedrock_emulator::{ACCESS_KEY_ID, Behaviour, Config, Emulator, SECRET_ACCESS_KEY, Script, Step};
use fastrand::Rng;
use futures_util::{StreamExt, stream};
use outcrop_proxy::{
    bedrock::{
        ConverseRequest, ToolSpec, Upstream,
        connect::{Options, connect, find},
    },
    conversation::{Block, Turn},
    store::Kept,
    turn::history::{Reader, conversation},
};
use protocol::{Message, MessageId, RawJson, Role, StopReason, Timestamp};
use serde_json::json;

use crate::{common::REGION, server::PNG};

const CONVERSATIONS: u64 = 10_000;
const MODEL: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const TEXTS: [&str; 7] = ["", " ", "\n\n", "yes", " a word ", "two\nlines", "[It returned: 3]"];

fn pick<T: Clone>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(0..from.len())].clone()
}

fn text(rng: &mut Rng) -> String {
    pick(rng, &TEXTS).to_owned()
}

fn id(rng: &mut Rng) -> String {
    format!("tooluse_{}", rng.u8(0..6))
}

fn block(rng: &mut Rng, role: Role, reasoning: &[Block]) -> Block {
    match (rng.u8(0..12), role) {
        (0..4, _) => Block::Text { text: text(rng) },
        (4, _) => pick(rng, reasoning),
        (5..8, _) => {
            let name = pick(
                rng,
                &[
                    "s/echo",
                    "a server/with a very long name, which Bedrock would not take as it is, not at all",
                    "gone",
                ],
            );
            let input = pick(rng, &["{}", r#"{"x":1}"#, "[1]", "null"]);
            Block::ToolUse { id: id(rng), name: name.to_owned(), input: RawJson::new(input).expect("JSON") }
        }
        (8..11, _) => {
            let content = (0..rng.u8(0..3)).map(|_| Block::Text { text: text(rng) }).collect();
            Block::ToolResult { id: id(rng), content, failed: rng.bool() }
        }
        _ => match rng.u8(0..3) {
            0 => Block::Image { format: "png".to_owned(), data: BASE64_STANDARD.decode(PNG).expect("base64") },
            1 => Block::Document { format: "txt".to_owned(), name: "a.b (1).txt".to_owned(), data: b"words".to_vec() },
            _ => Block::Document { format: "md".to_owned(), name: String::new(), data: b"# words".to_vec() },
        },
    }
}

/// A message as it may have been kept: of any side, cut anywhere, with calls and results that do not fit.
fn kept(rng: &mut Rng, reasoning: &[Block]) -> Kept {
    let role = if rng.bool() { Role::User } else { Role::Assistant };
    let is_answer = role == Role::Assistant;
    let message = Message {
        message_id: MessageId::new("m").expect("an id"),
        request_id: None,
        content: text(rng),
        attachments: Vec::new(),
        role,
        timestamp: Timestamp::from_unix_ms(0),
        usage: None,
        model: is_answer.then(|| pick(rng, &[MODEL, "another"]).to_owned()),
        stop_reason: (is_answer && rng.u8(0..20) == 0).then_some(StopReason::GuardrailIntervened),
        parts: Vec::new(),
        error: None,
    };
    let turn = |rng: &mut Rng| {
        let side = if !is_answer || rng.u8(0..3) == 0 { Role::User } else { Role::Assistant };
        let mut blocks: Vec<Block> = (0..rng.u8(0..5)).map(|_| block(rng, side, reasoning)).collect();
        // A document stands beside text, as it does in every message that is taken.
        if blocks.iter().any(|block| matches!(block, Block::Document { .. })) {
            blocks.push(Block::Text { text: "[Files]".to_owned() });
        }
        Turn { role: side, blocks }
    };
    let count = if rng.bool() { 0 } else { rng.u8(1..6) };
    let turns = (0..count).map(|_| turn(rng)).collect();
    Kept { message, turns }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_odd_conversations_are_taken() {
    let reasons = Behaviour::text("ok").with_reasoning("hm");
    let script = Script::new()
        .step(Step::of(reasons.clone()).times(1))
        .step(Step::of(reasons.with_redacted_reasoning()).times(1))
        .step(Step::of(Behaviour::text("ok")));
    let emulator = Emulator::start(Config { script, ..Config::unpaced() }).await.expect("an emulator");
    let credentials = Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "test");
    let options = Options { endpoint_url: Some(emulator.url()), fixed: Some((credentials, REGION.to_owned())) };
    let found = find(&options).await.expect("credentials");
    let bedrock = connect(&found, &options).expect("a way to Bedrock");
    // What the model has signed, and what nobody has.
    let mut reasoning = vec![Block::Reasoning { text: "hm".to_owned(), signature: None }];
    for _ in 0..2 {
        let turns = vec![Turn::saying(Role::User, "hi")];
        let request = ConverseRequest { model: MODEL.to_owned(), turns, max_tokens: 100, ..ConverseRequest::default() };
        let answer = bedrock.converse(&request).await.expect("an answer");
        reasoning.extend(answer.blocks.into_iter().filter(|block| !matches!(block, Block::Text { .. })));
    }
    assert_eq!(reasoning.len(), 3, "{reasoning:?}");
    let send = |seed: u64| {
        let (bedrock, reasoning) = (&bedrock, &reasoning);
        async move {
            let mut rng = Rng::with_seed(seed);
            let mut all: Vec<Kept> = (0..rng.u8(0..9)).map(|_| kept(&mut rng, reasoning)).collect();
            let question = Kept::from(Message {
                role: Role::User,
                content: "last".to_owned(),
                stop_reason: None,
                model: None,
                ..kept(&mut rng, reasoning).message
            });
            all.push(question);
            let has_tools = rng.u8(0..4) > 0;
            let reader = Reader { model: MODEL, has_tools };
            let turns = conversation(&all, rng.usize(0..10), reader);
            let spec = ToolSpec {
                name: "s__echo".into(),
                description: "Echoes.".into(),
                input_schema: json!({ "type": "object" }),
            };
            let request = ConverseRequest {
                model: MODEL.to_owned(),
                turns,
                max_tokens: 10,
                tools: if has_tools { [spec].into() } else { [].into() },
                is_cached: rng.bool(),
                ..ConverseRequest::default()
            };
            let sent = bedrock.converse(&request).await;
            assert!(sent.is_ok(), "seed {seed}: {sent:?}\n{:#?}\nof {all:#?}", request.turns);
            request
                .turns
                .iter()
                .flat_map(|turn| &turn.blocks)
                .filter(|block| matches!(block, Block::ToolUse { .. }))
                .count()
        }
    };
    let calls: Vec<usize> = stream::iter(0..CONVERSATIONS).map(send).buffer_unordered(8).collect().await;
    assert!(calls.iter().filter(|calls| **calls > 0).count() > 1_000, "most have no calls at all");
}
