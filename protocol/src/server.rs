//! What the proxy says: the data of each message type, and [`ServerMessage`] over all of them.

use serde::{Deserialize, Serialize};

use crate::{
    AnswerState, ErrorData, Message, MessageId, ModelPrice, RequestId, SessionId, StopReason, Timestamp, ToolUse,
    ToolUseId, Usage,
};

macro_rules! server_messages {
    ($($(#[doc = $doc:literal])* $variant:ident($data:ident) = $text:literal;)*) => {
        /// A message from the proxy, by type.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum ServerMessage {
            $($(#[doc = $doc])* $variant($data),)*
        }

        impl ServerMessage {
            /// Every type the proxy may send.
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

            #[cfg(test)]
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
    };
}

server_messages! {
    /// A whole answer.
    MessageResponse(MessageResponse) = "chat.message_response";
    /// More text of an answer.
    MessageStream(MessageStream) = "chat.message_stream";
    /// The end of an answer that came as it was made.
    MessageComplete(MessageComplete) = "chat.message_complete";
    /// More of the model's reasoning.
    ReasoningStream(MessageStream) = "chat.reasoning_stream";
    /// More of the arguments of a call.
    ToolInputStream(MessageStream) = "chat.tool_input_stream";
    /// A tool is called, or its call has come further.
    ToolUse(ToolUseUpdate) = "chat.tool_use";
    /// What a person said about a call is taken.
    ToolApproved(ToolApproved) = "chat.tool_approved";
    /// What an answer is waiting for.
    Status(Status) = "chat.status";
    /// An answer so far.
    Snapshot(Snapshot) = "chat.snapshot";
    /// A request or an answer failed.
    Error(ErrorData) = "chat.error";
    /// The conversation that was made.
    SessionCreated(Session) = "chat.session_created";
    /// A page of conversations.
    Sessions(SessionsResponse) = "chat.sessions_response";
    /// A page of messages.
    History(HistoryResponse) = "chat.history_response";
    /// The conversation as it is now.
    SessionUpdated(Session) = "chat.session_updated";
    /// The conversation is gone.
    SessionDeleted(SessionDeleted) = "chat.session_deleted";
    /// What was used.
    Usage(UsageResponse) = "chat.usage_response";
    /// Who the client is and what it may do.
    Hello(ServerHello) = "server.hello";
    /// The fresh token is taken.
    Refreshed(AuthRefreshed) = "auth.refreshed";
    /// The proxy is alive.
    Pong(Pong) = "pong";
    /// The proxy is about to close the socket.
    Draining(Draining) = "server.draining";
}

/// One frame from the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFrame {
    /// The `id` of the request it answers. `None`, written as the empty string, where a frame had none that could be read or
    /// where the frame answers none.
    pub id: Option<RequestId>,
    /// What it says.
    pub message: ServerMessage,
}

/// `chat.message_response`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct MessageResponse {
    /// The conversation.
    pub session_id: SessionId,
    /// The answer.
    pub message: Message,
}

/// `chat.message_stream`, `chat.reasoning_stream` and `chat.tool_input_stream`: the events `first` to `seq`, joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct MessageStream {
    /// The conversation.
    pub session_id: SessionId,
    /// The answer.
    pub message_id: MessageId,
    /// Which part of the answer the text belongs to, from 0.
    pub part: u32,
    /// The number of the first event in the frame.
    #[cfg_attr(test, ts(type = "number"))]
    pub first: u64,
    /// The number of the last event in the frame.
    #[cfg_attr(test, ts(type = "number"))]
    pub seq: u64,
    /// The text to append.
    pub content: String,
}

/// `chat.message_complete`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct MessageComplete {
    /// The conversation.
    pub session_id: SessionId,
    /// The answer.
    pub message_id: MessageId,
    /// The number of this event.
    #[cfg_attr(test, ts(type = "number"))]
    pub seq: u64,
    /// The model that wrote it.
    pub model: String,
    /// Why the answer ended.
    pub stop_reason: StopReason,
    /// What it used.
    pub usage: Usage,
}

/// `chat.tool_use`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct ToolUseUpdate {
    /// The answer.
    pub message_id: MessageId,
    /// The number of this event.
    #[cfg_attr(test, ts(type = "number"))]
    pub seq: u64,
    /// The call as it stands now.
    #[serde(flatten)]
    #[cfg_attr(test, ts(flatten))]
    pub call: ToolUse,
}

/// `chat.tool_approved`: what was said about a call with `chat.approve_tool` is taken. The call itself goes on with `chat.tool_use`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct ToolApproved {
    /// The call.
    pub tool_use_id: ToolUseId,
    /// Whether it runs.
    pub approved: bool,
}

/// What an answer is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub enum StatusState {
    /// Nothing has come from Bedrock yet.
    Queued,
    /// Bedrock refused; it is asked again after `retryInMs`.
    Retrying,
    /// Bedrock has gone silent in the middle.
    Stalled,
    /// It was stopped and no more text comes; the call is read to its end for what it used.
    Settling,
}

impl StatusState {
    /// The state as it is written in a frame.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Retrying => "retrying",
            Self::Stalled => "stalled",
            Self::Settling => "settling",
        }
    }
}

/// `chat.status`. It is no event: it has no number, and nothing is lost with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct Status {
    /// The answer.
    pub message_id: MessageId,
    /// What it is waiting for.
    pub state: StatusState,
    /// When Bedrock is asked again, in milliseconds from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "number"))]
    pub retry_in_ms: Option<u64>,
}

/// `chat.snapshot`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Snapshot {
    /// The conversation.
    pub session_id: SessionId,
    /// The answer.
    pub message_id: MessageId,
    /// The number of the last event in it; the tail goes on from there.
    #[cfg_attr(test, ts(type = "number"))]
    pub seq: u64,
    /// Where the answer stands.
    pub state: AnswerState,
    /// The answer so far.
    pub message: Message,
}

impl Snapshot {
    /// An answer that has ended, as it is kept.
    pub fn of_kept(session_id: SessionId, message: Message) -> Self {
        let state = if message.error.is_some() { AnswerState::Interrupted } else { AnswerState::Complete };
        let seq = message.error.as_ref().and_then(|error| error.seq).unwrap_or(0);
        Self { session_id, message_id: message.message_id.clone(), seq, state, message }
    }
}

/// A conversation, in `chat.session_created`, `chat.session_updated` and lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct Session {
    /// The conversation.
    pub session_id: SessionId,
    /// Its title; absent until the first message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The model of its answers, if it has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When something was last said in it.
    pub updated_at: Timestamp,
    /// How many messages it has.
    pub message_count: u32,
}

/// `chat.sessions_response`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct SessionsResponse {
    /// The latest first.
    pub sessions: Vec<Session>,
    /// Whether there are older ones.
    pub has_more: bool,
}

/// An answer in progress, in [`HistoryResponse`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct InProgress {
    /// The answer so far.
    pub message: Message,
    /// The number of the last event in it: what to resume after.
    #[cfg_attr(test, ts(type = "number"))]
    pub seq: u64,
}

/// `chat.history_response`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct HistoryResponse {
    /// The conversation.
    pub session_id: SessionId,
    /// The oldest first.
    pub messages: Vec<Message>,
    /// Whether there are older ones.
    pub has_more: bool,
    /// The answer that is being made, on the latest page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_progress: Option<InProgress>,
}

/// `chat.session_deleted`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct SessionDeleted {
    /// The conversation that is gone.
    pub session_id: SessionId,
}

/// What some calls of models used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct UsageSum {
    /// How many answers.
    #[cfg_attr(test, ts(type = "number"))]
    pub turns: u64,
    /// How many calls of models; one that was made again counts again.
    #[cfg_attr(test, ts(type = "number"))]
    pub calls: u64,
    /// Those of them whose usage is an estimate.
    #[cfg_attr(test, ts(type = "number"))]
    pub estimated_calls: u64,
    /// Those of them whose model has no price; the cost leaves them out.
    #[cfg_attr(test, ts(type = "number"))]
    pub unpriced_calls: u64,
    /// How many tools were called.
    #[serde(default)]
    #[cfg_attr(test, ts(type = "number"))]
    pub tool_calls: u64,
    /// What they used.
    pub usage: Usage,
}

/// One row of [`UsageResponse`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct UsageRow {
    /// The user, organisation, session or model; a day as `2026-11-26`, an hour as `2026-11-26T09:00Z`, both UTC. Where a name is one of
    /// its organisation's or user's only, theirs stand before it: `acme / ann`.
    pub key: String,
    /// What its calls used.
    #[serde(flatten)]
    pub sum: UsageSum,
}

/// Whom a budget is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub enum BudgetScope {
    /// Each user.
    User,
    /// Each organisation.
    Organization,
    /// Everybody together.
    Proxy,
}

/// How long a budget lasts, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub enum BudgetPeriod {
    /// A day.
    Day,
    /// A calendar month.
    Month,
}

/// What a budget is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub enum BudgetUnit {
    /// Nano-dollars.
    NanoUsd,
    /// Tokens of every kind.
    Tokens,
}

/// A budget, and how it stands for whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct BudgetState {
    /// Whom it is for.
    pub scope: BudgetScope,
    /// How long it lasts.
    pub period: BudgetPeriod,
    /// What the amounts are.
    pub unit: BudgetUnit,
    /// How much there is.
    #[cfg_attr(test, ts(type = "number"))]
    pub limit: u64,
    /// How much was used.
    #[cfg_attr(test, ts(type = "number"))]
    pub spent: u64,
    /// How much is set aside for answers under way.
    #[cfg_attr(test, ts(type = "number"))]
    pub reserved: u64,
    /// When it begins anew.
    pub renews_at: Timestamp,
}

/// `chat.usage_response`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct UsageResponse {
    /// From this point on.
    pub from: Timestamp,
    /// Up to this point, itself left out.
    pub to: Timestamp,
    /// One row for each key, in the order of the keys where these are times, the dearest first where not.
    pub rows: Vec<UsageRow>,
    /// The sum of all rows.
    pub total: UsageSum,
    /// The budgets that hold for whoever asks.
    pub budgets: Vec<BudgetState>,
}

/// Who the proxy takes the client for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Principal {
    /// The person.
    pub user: String,
    /// The organisation the person belongs to.
    pub organization: String,
    /// What the person may do beyond their own.
    #[serde(default)]
    pub role: PrincipalRole,
}

/// What a person may see and change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub enum PrincipalRole {
    /// What is their own.
    #[default]
    User,
    /// What is their organisation's.
    Administrator,
    /// Everything.
    Operator,
}

/// The bounds that a client should know before it runs into them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Limits {
    /// The longest frame, in bytes.
    pub max_frame_bytes: u32,
    /// The longest message, in characters.
    pub max_message_chars: u32,
    /// How many answers may be made for one socket at a time.
    pub max_parallel_turns: u32,
    /// The longest `systemPrompt`, in characters; 0 where none is taken. Proxies before it was there do not say.
    #[serde(default)]
    #[cfg_attr(test, ts(optional, as = "Option<u32>"))]
    pub max_system_prompt_chars: u32,
}

/// When a person is asked before a tool is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub enum ToolApproval {
    /// Every time.
    Always,
    /// Once in each conversation.
    Session,
    /// Never.
    Never,
}

/// A tool that the model may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct ToolInfo {
    /// The tool's own name.
    pub name: String,
    /// The MCP server that has it.
    pub server: String,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it does, in its server's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When a person is asked before it is called.
    pub approval: ToolApproval,
}

/// A model that the client may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct ModelInfo {
    /// The model id or inference profile.
    pub model: String,
    /// Whether it answers where none is named.
    pub default: bool,
    /// The most tokens it writes in an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
    /// The most tokens it reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u32>,
    /// What it costs; absent where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<ModelPrice>,
}

/// `server.hello`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct ServerHello {
    /// The version of the protocol that the proxy speaks.
    pub version: u32,
    /// Who the client is.
    pub principal: Principal,
    /// How much longer the token counts, in milliseconds; none where there is no token. A fresh one is sent with `auth.refresh`
    /// before that. It is no point in time, since clocks differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "number"))]
    pub expires_in_ms: Option<u64>,
    /// Whether answers come from the emulator and not from Bedrock.
    pub demo: bool,
    /// The bounds.
    pub limits: Limits,
    /// The models the client may ask for.
    pub models: Vec<ModelInfo>,
    /// The price table the costs are computed from.
    pub price_version: String,
    /// The tools that the model may call for this person.
    pub tools: Vec<ToolInfo>,
}

/// `auth.refreshed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema), ts(optional_fields))]
pub struct AuthRefreshed {
    /// How much longer the fresh token counts, in milliseconds; none where no token is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "number"))]
    pub expires_in_ms: Option<u64>,
}

/// `pong`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Pong {}

/// `server.draining`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Draining {
    /// When to connect again, in milliseconds from now; spread out over the clients.
    #[cfg_attr(test, ts(type = "number"))]
    pub reconnect_in_ms: u64,
}
