//! What an answer says of images and documents that it was sent.

use std::fmt::Write;

use crate::chat::{Block, Chat};
use crate::media::Document;

/// Words of a text document that are repeated.
const FIRST_WORDS: usize = 12;

/// A line for each file of the last message; nothing without files.
pub(super) fn mentioned(chat: &Chat) -> String {
    let mut text = String::new();
    for block in chat.turn().into_iter().flat_map(|message| &message.blocks) {
        let _ = match block {
            Block::Image(image) => writeln!(text, "You sent an image ({}).\n", image.description()),
            Block::Document(document) => {
                writeln!(text, "You sent the document {}{}.\n", document.description(), beginning(document))
            }
            Block::Video => writeln!(text, "You sent a video.\n"),
            _ => Ok(()),
        };
    }
    text
}

fn beginning(document: &Document) -> String {
    let words: Vec<&str> = document.text().unwrap_or_default().split_whitespace().take(FIRST_WORDS + 1).collect();
    match words.len() {
        0 => String::new(),
        FIRST_WORDS.. => format!(". It begins: “{}…”", words[..FIRST_WORDS].join(" ")),
        _ => format!(". It says: “{}”", words.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Message, Role};
    use crate::media::Image;
    use crate::media::tests::png;

    #[test]
    fn files_are_described_and_texts_begun() {
        let document = |format: &str, text: &str| {
            Block::Document(Document { format: format.into(), name: "Notes".into(), bytes: text.as_bytes().to_vec() })
        };
        let blocks = vec![
            Block::Image(Image { format: "png".into(), bytes: png(640, 480, 12_000) }),
            document("md", "# Rivers and lakes"),
            document("txt", &"word ".repeat(13)),
            document("pdf", "%PDF-1.7"),
        ];
        let chat = Chat { messages: vec![Message { role: Role::User, blocks }], ..Chat::default() };
        let text = mentioned(&chat);
        let twelve = ["word"; 12].join(" ");
        for line in [
            "You sent an image (PNG, 640×480, 12 kB).\n",
            "You sent the document “Notes” (MD, 18 bytes). It says: “# Rivers and lakes”.\n",
            &format!("It begins: “{twelve}…”.\n"),
            "You sent the document “Notes” (PDF, 8 bytes).\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
