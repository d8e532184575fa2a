//! The bounds of the protocol. Both ends know them, so that a frame is refused before it is sent.

/// The longest frame a client may send, in bytes.
pub const MAX_CLIENT_FRAME_BYTES: usize = 1024 * 1024;

/// The longest frame a client may send before the proxy knows who it is, in bytes.
pub const MAX_UNAUTHENTICATED_FRAME_BYTES: usize = 8 * 1024;

/// The most text of an answer that one frame from the proxy carries, in bytes of UTF-8 before JSON escaping.
/// `chat.message_response` and `chat.history_response` are whole by definition and exempt.
pub const MAX_CONTENT_BYTES: usize = 16 * 1024;

/// How deep objects and arrays may nest in a frame.
pub const MAX_JSON_DEPTH: usize = 64;

/// The most sessions or messages that one page of a list holds.
pub const MAX_PAGE_ITEMS: u32 = 100;

/// The most attachments that one message carries, Bedrock's limit on images in a message.
pub const MAX_ATTACHMENTS: usize = 20;

/// The longest title of a session, in characters.
pub const MAX_TITLE_CHARS: usize = 200;
