//! What a client says: the data of each message type, and [`ClientMessage`] over all of them.

use serde::{Deserialize, Serialize};

use crate::{Attachment, MessageId, RequestId, SessionId, Timestamp, ToolUseId};

macro_rules! client_messages {
    ($($(#[doc = $doc:literal])* $variant:ident($data:ident) = $text:literal;)*) => {
        /// A message from a client, by type.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum ClientMessage {
            $($(#[doc = $doc])* $variant($data),)*
        }

        impl ClientMessage {
            /// Every type a client may send.
            pub const TYPES: &[&str] = &[$($text),*];

            /// The name of the data type of each.
            #[cfg(test)]
            pub(crate) const DATA: &[&str] = &[$(stringify!($data)),*];

            /// Each type, what it is for, and the schema of its data.
            #[cfg(test)]
            pub(crate) fn schemas(of: &mut schemars::SchemaGenerator) -> Vec<(&'static str, &'static str, schemars::Schema)> {
                vec![$(($text, concat!($($doc),*), of.subschema_for::<$data>())),*]
            }

            /// The `type` of the frame.
            pub const fn type_text(&self) -> &'static str {
                match self { $(Self::$variant(_) => $text,)* }
            }

            pub(crate) fn from_data(kind: &str, data: &str) -> Option<Result<Self, serde_json::Error>> {
                match kind {
                    $($text => Some(serde_json::from_str(data).map(Self::$variant)),)*
                    _ => None,
                }
            }

            pub(crate) fn write_data(&self, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
                match self { $(Self::$variant(data) => serde_json::to_writer(out, data),)* }
            }
        }

        $(impl From<$data> for ClientMessage {
            fn from(data: $data) -> Self {
                Self::$variant(data)
            }
        })*
    };
}

client_messages! {
    /// Says something to the model.
    SendMessage(SendMessage) = "chat.send_message";
    /// Stops an answer.
    Cancel(Cancel) = "chat.cancel";
    /// Follows an answer from where the client has got to.
    Resume(Resume) = "chat.resume";
    /// Asks a question again, for another answer in the place of the one it has.
    Regenerate(Regenerate) = "chat.regenerate";
    /// Makes a conversation.
    CreateSession(CreateSession) = "chat.create_session";
    /// Lists conversations, the latest first.
    ListSessions(ListSessions) = "chat.list_sessions";
    /// Reads the messages of a conversation.
    GetHistory(GetHistory) = "chat.get_history";
    /// Gives a conversation another title.
    RenameSession(RenameSession) = "chat.rename_session";
    /// Deletes a conversation.
    DeleteSession(DeleteSession) = "chat.delete_session";
    /// Lets a tool run, or not.
    ApproveTool(ApproveTool) = "chat.approve_tool";
    /// Asks what was used.
    Usage(UsageQuery) = "chat.get_usage";
    /// Says who the client is. Must come first where the proxy asks for a token.
    Hello(ClientHello) = "client.hello";
    /// Replaces the token before it expires.
    Refresh(AuthRefresh) = "auth.refresh";
    /// Asks for a `pong`.
    Ping(Ping) = "ping";
}

/// One frame from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFrame {
    /// Chosen by the client; every reply carries it.
    pub id: RequestId,
    /// What it says.
    pub message: ClientMessage,
}

/// `chat.send_message`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct SendMessage {
    /// The conversation. Without one a new one is made; one that this user does not have yet is made under this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// What the person says.
    pub message: String,
    /// Whether the answer comes as it is made (`true`) or whole (`false`).
    #[serde(default)]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub streaming: bool,
    /// The Bedrock model or inference profile, if not the conversation's or the proxy's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Files to read with the message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<Attachment>>"))]
    pub attachments: Vec<Attachment>,
    /// A question of the conversation that gives way to this message, with everything after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<MessageId>,
    /// The person's own instructions for this answer, after the operator's. At most `maxSystemPromptChars` of `server.hello`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_prompt: Option<String>,
}

/// `chat.cancel`: one of the two ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct Cancel {
    /// The answer to stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// The `id` of the `chat.send_message` whose answer to stop, while its message id is not known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
}

/// `chat.resume`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Resume {
    /// The answer to follow.
    pub message_id: MessageId,
    /// The number of the last event the client holds, 0 for none.
    #[serde(default)]
    #[cfg_attr(test, ts(type = "number"))]
    pub after: u64,
}

/// `chat.regenerate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct Regenerate {
    /// The conversation.
    pub session_id: SessionId,
    /// The answer whose question is asked again. It gives way, with everything after it.
    pub message_id: MessageId,
    /// Whether the answer comes as it is made (`true`) or whole (`false`).
    #[serde(default)]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub streaming: bool,
    /// The Bedrock model or inference profile, if not the conversation's or the proxy's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The person's own instructions for this answer, as of `chat.send_message`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_prompt: Option<String>,
}

/// `chat.create_session`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct CreateSession {
    /// Its title; without one the first message gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The model of its answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// `chat.list_sessions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct ListSessions {
    /// Those listed after this one: the last of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<SessionId>,
    /// How many at most, 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// `chat.get_history`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct GetHistory {
    /// The conversation.
    pub session_id: SessionId,
    /// Messages older than this one: the oldest of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<MessageId>,
    /// How many at most, 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// `chat.rename_session`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct RenameSession {
    /// The conversation.
    pub session_id: SessionId,
    /// Its new title, 1 to 200 characters.
    pub title: String,
}

/// `chat.delete_session`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct DeleteSession {
    /// The conversation.
    pub session_id: SessionId,
}

/// `chat.approve_tool`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct ApproveTool {
    /// The call that waits.
    pub tool_use_id: ToolUseId,
    /// The answer it is part of. Without it the call is looked for among the answers that this very process makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// Whether it may run.
    pub approved: bool,
}

/// What to sum usage by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub enum GroupBy {
    /// The person.
    User,
    /// The organisation.
    Organization,
    /// The conversation.
    Session,
    /// The model.
    Model,
    /// The day, UTC.
    Day,
    /// The hour, UTC.
    Hour,
}

/// `chat.get_usage`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct UsageQuery {
    /// From this point on; 30 days before `to` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Up to this point, itself left out; now where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// One row for each of these.
    pub group_by: GroupBy,
    /// Whose; one's own where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<UsageScope>,
}

/// Whose usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub enum UsageScope {
    /// One's own.
    Own,
    /// That of one's organisation, for its administrators and for operators. Rows by session are by user and session.
    Organization,
    /// Everybody's, for operators. Rows by user are by organisation and user, rows by session by all three.
    All,
}

/// `client.hello`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct ClientHello {
    /// The version of the protocol that the client speaks.
    pub version: u32,
    /// Who it is, where the proxy asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl std::fmt::Debug for ClientHello {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let token = self.token.as_ref().map(|_| "[redacted]");
        f.debug_struct("ClientHello").field("version", &self.version).field("token", &token).finish()
    }
}

/// `auth.refresh`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct AuthRefresh {
    /// The fresh token.
    pub token: String,
}

impl std::fmt::Debug for AuthRefresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthRefresh").field("token", &"[redacted]").finish()
    }
}

/// `ping`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Ping {}
