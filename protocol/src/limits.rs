//! The bounds of the protocol. Both ends know them, so that a frame is refused before it is sent.

/// The longest frame a client may send, in bytes.
pub const MAX_CLIENT_FRAME_BYTES: usize = 1024 * 1024;

/// The longest frame a client may send before the proxy knows who it is, in bytes.
pub const MAX_UNAUTHENTICATED_FRAME_BYTES: usize = 8 * 1024;

/// The most text of an answer that one frame from the proxy carries, in bytes of UTF-8 before JSON escaping.
/// `chat.message_response`, `chat.snapshot`, `chat.history_response` and `chat.tool_use` are whole by definition and exempt.
pub const MAX_CONTENT_BYTES: usize = 16 * 1024;

/// How deep objects and arrays may nest in a frame.
pub const MAX_JSON_DEPTH: usize = 64;

/// How deep the arguments and the result of a tool may nest, so that the deepest frame with them, `chat.history_response`, is one that a
/// client reads. A proxy sends none that nest deeper.
pub const MAX_TOOL_JSON_DEPTH: usize = MAX_JSON_DEPTH - 6;

/// The most sessions or messages that one page of a list holds.
pub const MAX_PAGE_ITEMS: u32 = 100;

/// The most attachments that one message carries: Bedrock's limit on images in a message (Converse, `Message`).
pub const MAX_ATTACHMENTS: usize = 20;

/// The most of them that are documents and no images: Bedrock's limit on documents in a message (Converse, `Message`).
pub const MAX_DOCUMENTS: usize = 5;

/// The most bytes of an image. Bedrock's limit is 3.75 MB (Converse, `Message`); it does not say of which million, so that it is the
/// smaller one here.
pub const MAX_IMAGE_BYTES: usize = 3_750_000;

/// The most bytes of a document. Bedrock's limit is 4.5 MB (Converse, `Message`), of the smaller million too.
pub const MAX_DOCUMENT_BYTES: usize = 4_500_000;

/// The most bytes of all files that a client sends with one message. In base64, and with some 90 KiB of text and names beside them, they
/// are a frame of [`MAX_CLIENT_FRAME_BYTES`], which is what the proxy holds clients to.
pub const MAX_ATTACHMENTS_BYTES: usize = 700 * 1024;

/// The longest name of a file, in characters: that of most file systems.
pub const MAX_FILE_NAME_CHARS: usize = 255;

/// The longest title of a session, in characters.
pub const MAX_TITLE_CHARS: usize = 200;
