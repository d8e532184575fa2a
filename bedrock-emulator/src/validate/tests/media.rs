use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::*;
use crate::media::tests::png as header;

pub(super) fn png(width: u32, height: u32) -> String {
    BASE64_STANDARD.encode(header(width, height, 0))
}

fn image(format: &str, bytes: &str) -> Value {
    json!({ "image": { "format": format, "source": { "bytes": bytes } } })
}

fn document(format: &str, name: &str, bytes: &[u8]) -> Value {
    json!({ "document": { "format": format, "name": name, "source": { "bytes": BASE64_STANDARD.encode(bytes) } } })
}

fn sent(blocks: Vec<Value>) -> Value {
    let all: Vec<Value> = [json!({ "text": "Look" })].into_iter().chain(blocks).collect();
    json!({ "messages": [user(all.into())] })
}

#[test]
fn images_are_of_their_format_and_not_too_large() {
    let small = png(640, 480);
    let of_length = |length: usize| BASE64_STANDARD.encode(header(64, 64, length));
    expect(
        SONNET_3_5,
        &[
            (sent(vec![image("png", &small)]), ""),
            (
                sent(vec![image("jpg", &small)]),
                "Value 'jpg' at 'messages.1.member.content.2.member.image.format' failed to satisfy constraint: Member must satisfy enum value set: [png, jpeg, gif, webp]",
            ),
            (sent(vec![image("PNG", &small)]), "Member must satisfy enum value set"),
            (
                sent(vec![image("jpeg", &small)]),
                "messages.0.content.1.image.source.bytes: The image was specified using the image/jpeg media type, but the image appears to be a image/png image",
            ),
            (sent(vec![image("png", "aGVsbG8=")]), "messages.0.content.1.image.source.bytes: Could not process image"),
            (
                sent(vec![image("png", "")]),
                "image.source.bytes' failed to satisfy constraint: Member must have length greater",
            ),
            (sent(vec![image("png", "~")]), "is not base64"),
            (
                sent(vec![json!({ "image": { "format": "png", "source": { "s3Location": { "uri": "s3://b/k" } } } })]),
                "has no bytes",
            ),
            (sent(vec![image("png", &png(8_000, 1))]), ""),
            (sent(vec![image("png", &png(8_001, 1))]), "image dimensions exceed max allowed size: 8000 pixels"),
            (sent(vec![image("png", &of_length(3_932_160))]), ""),
            (
                sent(vec![image("png", &of_length(3_932_161))]),
                "image exceeds 5 MB maximum: 5242884 bytes > 5242880 bytes",
            ),
        ],
    );
}

#[test]
fn a_request_has_at_most_twenty_images_and_five_documents_of_different_names() {
    let images = |count: usize| vec![image("png", &png(8, 8)); count];
    let documents = |names: &[&str]| names.iter().map(|name| document("txt", name, b"x")).collect::<Vec<_>>();
    let mut two_turns = sent(images(20));
    let more = [assistant(json!([{ "text": "I see." }])), user(images(1).into())];
    two_turns["messages"].as_array_mut().expect("array").extend(more);
    expect(
        SONNET_3_5,
        &[
            (sent(images(20)), ""),
            (sent(images(21)), "messages: too many images: 21 > 20"),
            (two_turns, "messages: too many images: 21 > 20"),
            (sent(documents(&["a", "b", "c", "d", "e"])), ""),
            (sent(documents(&["a", "b", "c", "d", "e", "f"])), "You can't include more than 5 documents in a request."),
            (sent(documents(&["a", "b", "a"])), "Messages can't contain duplicate document names."),
        ],
    );
}

#[test]
fn documents_have_a_name_a_format_and_words_beside_them() {
    let named = |name: &str| sent(vec![document("txt", name, b"x")]);
    let wrong = "The document file name can only contain alphanumeric characters";
    expect(
        SONNET_3_5,
        &[
            (named("Report (2) [final] a_b-c"), ""),
            (named("report.txt"), wrong),
            (named("two  spaces"), wrong),
            (named("tab\there"), wrong),
            (named("r\u{e9}sum\u{e9}"), wrong),
            (named(""), "document.name' failed to satisfy constraint: Member must have length greater"),
            (named(&"x".repeat(201)), "Member must have length less than or equal to 200"),
            (
                sent(vec![document("exe", "n", b"x")]),
                "Value 'exe' at 'messages.1.member.content.2.member.document.format'",
            ),
            (sent(vec![document("txt", "n", b"")]), "document.source.bytes' failed to satisfy constraint"),
            (sent(vec![document("pdf", "n", b"no pdf")]), "The PDF specified was not valid."),
            (sent(vec![document("csv", "n", &vec![b'x'; 4_718_592])]), ""),
            (sent(vec![document("csv", "n", &vec![b'x'; 4_718_593])]), "is larger than 4.5 MB"),
            (
                json!({ "messages": [user(json!([document("txt", "n", b"x")]))] }),
                "A text block must be included when using documents.",
            ),
            (
                json!({ "messages": [hello(), assistant(json!([image("png", &png(8, 8))])), hello()] }),
                "You can only include them if the role is user.",
            ),
        ],
    );
}
