//! What people send, made plain before anything is done with it: what nobody can see goes, what is written in two ways becomes one.
//!
//! Text that a person cannot see is read by the model all the same. So instructions hide in pasted text, and a name or a title shows
//! something else than it says. The rules are in `docs/protocol.md`; everything else stays as it was sent.

mod characters;

use std::borrow::Cow;

use protocol::{ErrorCode, ErrorData, RequestId, client::ClientMessage, limits::MAX_TITLE_CHARS};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use characters::{FLAGS, MAX_INVISIBLE_RUN, is_invisible, is_line_break, is_removed, is_selector};

/// About how many bytes of text are a token at the least. Four is right for English; code and most other languages take fewer.
pub const BYTES_OF_A_TOKEN: usize = 3;

/// The longest message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageLimits {
    /// In characters.
    pub chars: u32,
    /// In tokens, estimated at [`BYTES_OF_A_TOKEN`].
    pub tokens: u32,
    /// The longest instructions of a person's own, in characters; none are taken where it is 0.
    pub system_prompt_chars: u32,
}

/// Makes what a client says plain, and checks that there is something left of it and not too much.
///
/// # Errors
/// What to tell the client.
pub fn admit(id: &RequestId, message: ClientMessage, limits: MessageLimits) -> Result<ClientMessage, Box<ErrorData>> {
    // An id is repeated as it came, so that it cannot be changed.
    if clean(id.as_str()) != id.as_str() {
        return Err(invalid("The id has characters that cannot be seen; choose another, such as a UUID."));
    }
    Ok(match message {
        ClientMessage::SendMessage(mut send) => {
            // Files may say it all.
            send.message = match clean(&send.message) {
                clean if is_blank(&clean) && !send.attachments.is_empty() => String::new(),
                _ => text(&send.message, limits)?,
            };
            for attachment in &mut send.attachments {
                attachment.name = one_line(std::mem::take(&mut attachment.name));
            }
            send.model = send.model.map(one_line);
            send.system_prompt = system_prompt(send.system_prompt, limits)?;
            ClientMessage::SendMessage(send)
        }
        ClientMessage::Regenerate(mut again) => {
            again.model = again.model.map(one_line);
            again.system_prompt = system_prompt(again.system_prompt, limits)?;
            ClientMessage::Regenerate(again)
        }
        ClientMessage::CreateSession(mut create) => {
            create.title = create.title.map(title).transpose()?;
            create.model = create.model.map(one_line);
            ClientMessage::CreateSession(create)
        }
        ClientMessage::RenameSession(mut rename) => {
            rename.title = title(rename.title)?;
            ClientMessage::RenameSession(rename)
        }
        other => other,
    })
}

fn text(text: &str, limits: MessageLimits) -> Result<String, Box<ErrorData>> {
    let clean = clean(text);
    if is_blank(&clean) {
        return Err(invalid("The message is blank: nothing is left of it once what cannot be seen is taken out."));
    }
    let (chars, tokens) = (clean.chars().count(), clean.len().div_ceil(BYTES_OF_A_TOKEN));
    if chars > limits.chars as usize {
        return Err(too_large("message", chars, limits.chars, "characters"));
    }
    if tokens > limits.tokens as usize {
        return Err(too_large("message", tokens, limits.tokens, "tokens or so"));
    }
    Ok(clean.into_owned())
}

/// A person's own instructions; none where nothing can be seen of them.
fn system_prompt(prompt: Option<String>, limits: MessageLimits) -> Result<Option<String>, Box<ErrorData>> {
    let Some(prompt) = prompt.map(|prompt| clean(&prompt).into_owned()).filter(|prompt| !is_blank(prompt)) else {
        return Ok(None);
    };
    let most = limits.system_prompt_chars;
    match prompt.chars().count() {
        _ if most == 0 => Err(invalid("This proxy takes no instructions of a person's own. Leave systemPrompt out.")),
        chars if chars > most as usize => Err(too_large("system prompt", chars, most, "characters")),
        _ => Ok(Some(prompt)),
    }
}

fn too_large(what: &str, have: usize, most: u32, unit: &str) -> Box<ErrorData> {
    let text = format!("The {what} has {have} {unit}, the most is {most}. Shorten it.");
    Box::new(ErrorData::new(ErrorCode::MessageTooLarge, text))
}

fn title(title: String) -> Result<String, Box<ErrorData>> {
    let title = one_line(title);
    if is_blank(&title) || title.chars().count() > MAX_TITLE_CHARS {
        return Err(invalid(&format!("A title has 1 to {MAX_TITLE_CHARS} characters and is not blank.")));
    }
    Ok(title)
}

fn one_line(text: String) -> String {
    clean(&text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn invalid(text: &str) -> Box<ErrorData> {
    Box::new(ErrorData::new(ErrorCode::InvalidRequest, text))
}

/// The text without what cannot be seen, in Unicode's normalization form C, its lines ended by line feeds.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b'\n' | b'\t' | b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let visible = visible(text);
    match is_nfc_quick(visible.chars()) {
        IsNormalized::Yes => Cow::Owned(visible),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(visible.nfc().collect()),
    }
}

/// Whether a text shows nothing.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control() || is_invisible(c))
}

fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let (mut run, mut last) = (0, '\0');
    while let Some(c) = rest.chars().next() {
        if let Some(flag) = FLAGS.iter().find(|flag| rest.starts_with(**flag)) {
            out.push_str(flag);
            rest = &rest[flag.len()..];
            (run, last) = (0, c);
            continue;
        }
        rest = &rest[c.len_utf8()..];
        let c = match c {
            '\r' if rest.starts_with('\n') => continue,
            c if is_line_break(c) => '\n',
            c if is_removed(c) => continue,
            c => c,
        };
        run = if is_invisible(c) { run + 1 } else { 0 };
        if run > MAX_INVISIBLE_RUN || is_selector(c) && is_selector(last) {
            continue;
        }
        out.push(c);
        last = c;
    }
    out
}

#[cfg(test)]
mod tests;
