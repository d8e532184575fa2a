//! Messages of a conversation as they travel.

use serde::{Deserialize, Serialize};

use crate::{MessageId, RequestId, StopReason, Timestamp, ToolUse, Usage};

/// Who a message is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub enum Part {
    /// Text, markdown where the model wrote it.
    Text {
        /// The text.
        text: String,
    },
    /// The model's reasoning as it lets it be seen.
    Reasoning {
        /// The text.
        text: String,
    },
    /// The call of a tool.
    ToolUse(ToolUse),
}

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct Message {
    /// Its id, minted by the proxy.
    pub message_id: MessageId,
    /// The id it was asked under, the latest where it was asked again: on the person's messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// All its text, parts joined.
    pub content: String,
    /// The files that were sent with it: on the person's messages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<AttachmentInfo>>"))]
    pub attachments: Vec<AttachmentInfo>,
    /// Who it is from.
    pub role: Role,
    /// When it was stored.
    pub timestamp: Timestamp,
    /// What it used: on the model's messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The model that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Why it ended: on the model's messages that are whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<StopReason>,
    /// Its parts, where it is more than one text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<Part>>"))]
    pub parts: Vec<Part>,
    /// Why it is not whole, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<crate::ErrorData>,
}

/// What is known of a file that was sent with a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct AttachmentInfo {
    /// The file's name.
    pub name: String,
    /// Its media type, such as `image/png`.
    pub media_type: String,
    /// How many bytes it has.
    #[cfg_attr(test, ts(type = "number"))]
    pub bytes: u64,
}

/// What a tool returned, as people see it: the model may have been sent more of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct ToolResult {
    /// Its text, or the beginning of it; why the tool was not called or failed, where it was not or did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<String>"))]
    pub text: String,
    /// Whether there was more text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub truncated: bool,
    /// What was returned beside text, such as images.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<AttachmentInfo>>"))]
    pub files: Vec<AttachmentInfo>,
}

/// A file sent with a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Attachment {
    /// The file's name.
    pub name: String,
    /// Its media type, such as `image/png`.
    pub media_type: String,
    /// Its bytes in base64.
    pub data: String,
}
