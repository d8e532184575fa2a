//! Images and documents that a message brings.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::common::{MODEL, converse, post, start, whole};
use bedrock_emulator::{Emulator, Script};

/// A PNG of one colour, as a header without its pixels.
fn png(width: u32, height: u32, length: usize) -> String {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.resize(length, 0);
    BASE64_STANDARD.encode(bytes)
}

async fn answer(emulator: &Emulator, content: Value) -> (String, u64) {
    let answer = converse(emulator, MODEL, &json!({ "messages": [{ "role": "user", "content": content }] })).await;
    let text = answer["output"]["message"]["content"][0]["text"].as_str().expect("text").to_owned();
    (text, answer["usage"]["inputTokens"].as_u64().expect("tokens"))
}

#[tokio::test]
async fn an_answer_says_what_it_was_sent_and_counts_it() {
    let emulator = start(Script::new()).await;
    let image = json!({ "image": { "format": "png", "source": { "bytes": png(640, 480, 12_000) } } });
    let notes = BASE64_STANDARD.encode("Rivers run to the sea");
    let document = json!({ "document": { "format": "md", "name": "Notes", "source": { "bytes": notes } } });
    let (text, tokens) = answer(&emulator, json!([image])).await;
    assert_eq!((text.trim_end(), tokens), ("You sent an image (PNG, 640×480, 12 kB).", 410 + 3));
    let (text, tokens) = answer(&emulator, json!([{ "text": "Explain rivers" }, image, document])).await;
    assert!(text.starts_with("You sent an image (PNG, 640×480, 12 kB).\n\nYou sent the document “Notes” (MD, 21 bytes). It says: “Rivers run to the sea”.\n\n## Rivers\n"), "{text}");
    assert_eq!(tokens, 3 + 410 + 5 + 3, "the prompt, the image, the document, the message");
}

#[tokio::test]
async fn bytes_that_are_no_image_are_refused() {
    let emulator = start(Script::new()).await;
    let image = json!({ "image": { "format": "png", "source": { "bytes": "aGVsbG8=" } } });
    let body = json!({ "messages": [{ "role": "user", "content": [{ "text": "x" }, image] }] });
    let (status, kind, body) = whole(post(&emulator, "converse", &body).await).await;
    assert_eq!((status, kind.as_str()), (400, "ValidationException"));
    assert!(body["message"].as_str().expect("message").ends_with("Could not process image"), "{body}");
}

#[tokio::test]
async fn the_messages_api_takes_images_and_documents_too() {
    let emulator = start(Script::new()).await;
    let source = |media_type: &str, data: &str| json!({ "type": "base64", "media_type": media_type, "data": data });
    let content = json!([
        { "type": "image", "source": source("image/png", &png(32, 32, 40)) },
        { "type": "document", "title": "Paper", "source": source("application/pdf", "JVBERi0xLjc=") },
        { "type": "text", "text": "Explain rivers" },
    ]);
    let body = json!({ "anthropic_version": "bedrock-2023-05-31", "max_tokens": 1000, "messages": [{ "role": "user", "content": content }] });
    let (status, _, answer) = whole(post(&emulator, "invoke", &body).await).await;
    assert_eq!(status, 200, "{answer}");
    let text = answer["content"][0]["text"].as_str().expect("text");
    assert!(
        text.starts_with(
            "You sent an image (PNG, 32×32, 40 bytes).\n\nYou sent the document “Paper” (PDF, 8 bytes).\n"
        ),
        "{text}"
    );
}
