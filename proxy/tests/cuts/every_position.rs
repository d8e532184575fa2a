//! A resume from every position there is, of an answer that is over and of one that runs.

use bedrock_emulator::{Behaviour, Fault, Outcome, Script};
use serde_json::json;

use crate::common::{Client, Proxy, STEADY};

const EVENTS: u64 = 150;

/// A text whose characters are a token and thus an event each, none like another.
fn characters(after: u64) -> String {
    (after..EVENTS).map(|n| char::from_u32(0x4e00 + n as u32).expect("a character")).collect()
}

async fn resume(client: &mut Client, message_id: &str, after: u64) {
    client.send("resume", "chat.resume", json!({ "messageId": message_id, "after": after })).await;
}

#[tokio::test]
async fn every_position_of_an_answer_that_is_over_brings_exactly_the_rest() {
    let proxy = Proxy::answering(Behaviour::text(characters(0))).await;
    let mut client = proxy.connect().await;
    let whole = client.chat("r", "s", "count").await;
    assert_eq!((whole.text.clone(), whole.end.seq()), (characters(0), EVENTS + 1));
    for after in 0..=EVENTS {
        resume(&mut client, whole.message_id(), after).await;
        let rest = client.answer_after(after).await;
        assert_eq!((rest.text, rest.end), (characters(after), whole.end.clone()), "after {after}");
    }
    proxy.only_call();
}

#[tokio::test]
async fn every_position_of_an_answer_that_runs_brings_exactly_the_rest() {
    // All of the text comes, and the answer does not end by itself.
    let stuck = Behaviour::text(characters(0)).with_pace(STEADY);
    let stuck = stuck.with_fault(Fault::Silence { after_tokens: EVENTS as u32 });
    let proxy = Proxy::with(&["--on-stop", "abort"], Script::always(stuck)).await;
    let mut first = proxy.connect().await;
    first.send_message("r", "s", "count", true).await;
    let mut read = vec![first.frame().await];
    let (mut followers, mut after) = (Vec::new(), 0);
    // Each position as soon as it has come, and the ones before it, one by one.
    while after < EVENTS / 2 {
        if after >= read.last().expect("a frame").seq() {
            read.push(first.frame().await);
            continue;
        }
        let mut client = proxy.connect().await;
        resume(&mut client, read[0].str("messageId"), after).await;
        followers.push((after, client));
        after += 1;
    }
    assert_eq!(proxy.only_call().outcome, Outcome::Running, "the answer was over too soon");
    while read.last().expect("a frame").seq() < EVENTS {
        read.push(first.frame().await);
    }
    // On the socket that has it all, too.
    resume(&mut first, read[0].str("messageId"), 0).await;
    first.send("c", "chat.cancel", json!({ "requestId": "r" })).await;
    let whole = first.answer().await;
    assert_eq!(whole.text, characters(0));
    for (after, mut client) in followers {
        let rest = client.answer_after(after).await;
        assert_eq!((rest.text, rest.end), (characters(after), whole.end.clone()), "after {after}");
    }
    proxy.only_call();
}
