//! The files that are sent with a message.

use base64::prelude::{BASE64_STANDARD, Engine};
use protocol::{Attachment, ErrorCode, ErrorData, Role};

use super::toolbox::file;
use crate::conversation::{Block, Turn};

/// What the model is sent of a message with files; nothing where there are none, since that is its text. Their names are told in words:
/// Bedrock knows images by none, and takes a document only with text beside it.
pub(super) fn with_files(text: &str, attachments: &[Attachment]) -> Result<Vec<Turn>, Box<ErrorData>> {
    if attachments.is_empty() {
        return Ok(Vec::new());
    }
    let block = |Attachment { name, media_type, data }: &Attachment| {
        let unreadable = || {
            let text = format!("{name} cannot be read as {media_type}. Send it in another form, or leave it out.");
            Box::new(ErrorData::new(ErrorCode::InvalidRequest, text))
        };
        let data = BASE64_STANDARD.decode(data).map_err(|_| unreadable())?;
        file(name, media_type, data).ok_or_else(unreadable)
    };
    let mut blocks = attachments.iter().map(block).collect::<Result<Vec<_>, _>>()?;
    let names: Vec<&str> = attachments.iter().map(|attachment| attachment.name.as_str()).collect();
    if !text.trim().is_empty() {
        blocks.push(Block::Text { text: text.to_owned() });
    }
    blocks.push(Block::Text { text: format!("[Files: {}]", names.join(", ")) });
    Ok(vec![Turn { role: Role::User, blocks }])
}
