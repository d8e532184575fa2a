// Generated from the Rust types of the protocol crate by its tests. Do not edit.

/**
 * A conversation. Session ids live under their owner: two users may hold the same one.
 */
export type SessionId = string;

/**
 * A message, minted by the proxy.
 */
export type MessageId = string;

/**
 * The `id` of a frame: chosen by the client, repeated in every reply, and the idempotency key of `chat.send_message`.
 */
export type RequestId = string;

/**
 * A call of a tool, minted by the model.
 */
export type ToolUseId = string;

/**
 * A point in time: RFC 3339, UTC, milliseconds, such as `2026-11-23T09:30:00.000Z`.
 */
export type Timestamp = string;

/**
 * Why a request or an answer failed. The set is closed: a client can match on all of it.
 */
export type ErrorCode = "invalid_request" | "unauthenticated" | "forbidden" | "session_not_found" | "message_too_large" | "rate_limited" | "budget_exceeded" | "throttled" | "model_not_found" | "model_access_denied" | "model_not_ready" | "context_overflow" | "content_filtered" | "upstream_unavailable" | "upstream_stream_error" | "upstream_timeout" | "interrupted" | "draining" | "internal";

/**
 * The data of `chat.error`, and the last event of an answer that failed.
 */
export type ErrorData = { 
/**
 * What kind of failure it is.
 */
code: ErrorCode, 
/**
 * One or two sentences for a person, with the next step in them.
 */
message: string, 
/**
 * Whether the same request can succeed later.
 */
retryable: boolean, 
/**
 * How long to wait before that, in milliseconds.
 */
retryAfterMs?: number, 
/**
 * The answer that failed, where one had begun.
 */
messageId?: MessageId, 
/**
 * The number of this event, where an answer had begun.
 */
seq?: number, 
/**
 * What the failed answer used, where that is known.
 */
usage?: Usage, };

/**
 * Where the figures of a [`Usage`] come from.
 */
export type UsageSource = "reported" | "estimated";

/**
 * The tokens of one model call or a sum of them, and their cost.
 */
export type Usage = { 
/**
 * Input tokens, without those read from or written to the cache (as Converse reports them).
 */
inputTokens: number, 
/**
 * Output tokens.
 */
outputTokens: number, 
/**
 * Input, output and cache tokens together.
 */
totalTokens: number, 
/**
 * Input tokens read from the prompt cache.
 */
cacheReadInputTokens: number, 
/**
 * Input tokens written to the prompt cache, of either age.
 */
cacheWriteInputTokens: number, 
/**
 * Those of the cache writes that are kept for an hour and cost more.
 */
cacheWrite1hInputTokens?: number, 
/**
 * Whether Bedrock reported the figures.
 */
source: UsageSource, 
/**
 * The cost in nano-dollars (10⁻⁹ USD). Absent where the model has no price: unknown is not 0.
 */
costNanoUsd?: number, 
/**
 * The price table the cost was computed from.
 */
priceVersion?: string, };

/**
 * Why an answer ended, in Bedrock's words, and one of our own.
 */
export type StopReason = "end_turn" | "max_tokens" | "stop_sequence" | "tool_use" | "guardrail_intervened" | "content_filtered" | "model_context_window_exceeded" | "cancelled" | "tool_limit" | "other";

/**
 * How far the call of a tool has come.
 */
export type ToolStatus = "preparing" | "pending_approval" | "running" | "succeeded" | "failed" | "denied" | "unknown_outcome";

/**
 * Any JSON value, as text: a tool's arguments and results, which only the tool and the page understand.
 */
export type RawJson = unknown;

/**
 * The call of a tool as people follow it.
 */
export type ToolUse = { 
/**
 * The call.
 */
toolUseId: ToolUseId, 
/**
 * The tool's own name.
 */
name: string, 
/**
 * The MCP server that has it; none of a name that no tool has.
 */
server?: string, 
/**
 * Its arguments, as JSON; `{}` while the model is writing them.
 */
input: RawJson, 
/**
 * Its arguments as far as the model has written them, while it does.
 */
partialInput?: string, 
/**
 * How far it has come.
 */
status: ToolStatus, 
/**
 * How long it ran, in milliseconds.
 */
durationMs?: number, 
/**
 * What it returned, as JSON: a `ToolResult`.
 */
result?: ToolResult, 
/**
 * Whether a person let it run.
 */
approved?: boolean, };

/**
 * What a tool returned, as people see it: the model may have been sent more of it.
 */
export type ToolResult = { 
/**
 * Its text, or the beginning of it; why the tool was not called or failed, where it was not or did.
 */
text?: string, 
/**
 * Whether there was more text.
 */
truncated?: boolean, 
/**
 * What was returned beside text, such as images.
 */
files?: Array<AttachmentInfo>, };

/**
 * What is known of a file that was sent with a message.
 */
export type AttachmentInfo = { 
/**
 * The file's name.
 */
name: string, 
/**
 * Its media type, such as `image/png`.
 */
mediaType: string, 
/**
 * How many bytes it has.
 */
bytes: number, };

/**
 * Who a message is from.
 */
export type Role = "user" | "assistant";

/**
 * A piece of a message.
 */
export type Part = { "type": "text", 
/**
 * The text.
 */
text: string, } | { "type": "reasoning", 
/**
 * The text.
 */
text: string, } | { "type": "tool_use" } & ToolUse;

/**
 * A message of a conversation.
 */
export type Message = { 
/**
 * Its id, minted by the proxy.
 */
messageId: MessageId, 
/**
 * The id it was asked under, the latest where it was asked again: on the person's messages.
 */
requestId?: RequestId, 
/**
 * All its text, parts joined.
 */
content: string, 
/**
 * The files that were sent with it: on the person's messages.
 */
attachments?: Array<AttachmentInfo>, 
/**
 * Who it is from.
 */
role: Role, 
/**
 * When it was stored.
 */
timestamp: Timestamp, 
/**
 * What it used: on the model's messages.
 */
usage?: Usage, 
/**
 * The model that wrote it.
 */
model?: string, 
/**
 * Why it ended: on the model's messages that are whole.
 */
stopReason?: StopReason, 
/**
 * Its parts, where it is more than one text.
 */
parts?: Array<Part>, 
/**
 * Why it is not whole, where it is not.
 */
error?: ErrorData, };

/**
 * A file sent with a message.
 */
export type Attachment = { 
/**
 * The file's name.
 */
name: string, 
/**
 * Its media type, such as `image/png`.
 */
mediaType: string, 
/**
 * Its bytes in base64.
 */
data: string, };

/**
 * Where an answer stands.
 */
export type AnswerState = "streaming" | "complete" | "interrupted";

/**
 * The prices of one model, each in nano-dollars (10⁻⁹ USD) per million tokens: $3 per million is 3,000,000,000.
 */
export type ModelPrice = { 
/**
 * Input that is neither read from nor written to the cache.
 */
input: number, 
/**
 * Output.
 */
output: number, 
/**
 * Input written to the cache for five minutes.
 */
cacheWrite5m?: number, 
/**
 * Input written to the cache for an hour.
 */
cacheWrite1h?: number, 
/**
 * Input read from the cache.
 */
cacheRead?: number, 
/**
 * What prompts above a length cost.
 */
longPrompt?: LongPromptPrice, };

/**
 * The prices of prompts above a length. Cache prices grow in the ratio in which the price of input grows.
 */
export type LongPromptPrice = { 
/**
 * These prices hold where input and cache tokens together are more than this.
 */
aboveTokens: number, 
/**
 * Input, nano-dollars per million tokens.
 */
input: number, 
/**
 * Output, nano-dollars per million tokens.
 */
output: number, };

/**
 * `chat.send_message`.
 */
export type SendMessage = { 
/**
 * The conversation. Without one a new one is made; one that this user does not have yet is made under this id.
 */
sessionId?: SessionId, 
/**
 * What the person says.
 */
message: string, 
/**
 * Whether the answer comes as it is made (`true`) or whole (`false`).
 */
streaming?: boolean, 
/**
 * The Bedrock model or inference profile, if not the conversation's or the proxy's own.
 */
model?: string, 
/**
 * Files to read with the message.
 */
attachments?: Array<Attachment>, 
/**
 * A question of the conversation that gives way to this message, with everything after it.
 */
replaces?: MessageId, 
/**
 * The person's own instructions for this answer, after the operator's. At most `maxSystemPromptChars` of `server.hello`.
 */
systemPrompt?: string, };

/**
 * `chat.cancel`: one of the two ids.
 */
export type Cancel = { 
/**
 * The answer to stop.
 */
messageId?: MessageId, 
/**
 * The `id` of the `chat.send_message` whose answer to stop, while its message id is not known yet.
 */
requestId?: RequestId, };

/**
 * `chat.resume`.
 */
export type Resume = { 
/**
 * The answer to follow.
 */
messageId: MessageId, 
/**
 * The number of the last event the client holds, 0 for none.
 */
after: number, };

/**
 * `chat.regenerate`.
 */
export type Regenerate = { 
/**
 * The conversation.
 */
sessionId: SessionId, 
/**
 * The answer whose question is asked again. It gives way, with everything after it.
 */
messageId: MessageId, 
/**
 * Whether the answer comes as it is made (`true`) or whole (`false`).
 */
streaming?: boolean, 
/**
 * The Bedrock model or inference profile, if not the conversation's or the proxy's own.
 */
model?: string, 
/**
 * The person's own instructions for this answer, as of `chat.send_message`.
 */
systemPrompt?: string, };

/**
 * `chat.create_session`.
 */
export type CreateSession = { 
/**
 * Its title; without one the first message gives it.
 */
title?: string, 
/**
 * The model of its answers.
 */
model?: string, };

/**
 * `chat.list_sessions`.
 */
export type ListSessions = { 
/**
 * Those listed after this one: the last of the page before.
 */
before?: SessionId, 
/**
 * How many at most, 1 to 100.
 */
limit?: number, };

/**
 * `chat.get_history`.
 */
export type GetHistory = { 
/**
 * The conversation.
 */
sessionId: SessionId, 
/**
 * Messages older than this one: the oldest of the page before.
 */
before?: MessageId, 
/**
 * How many at most, 1 to 100.
 */
limit?: number, };

/**
 * `chat.rename_session`.
 */
export type RenameSession = { 
/**
 * The conversation.
 */
sessionId: SessionId, 
/**
 * Its new title, 1 to 200 characters.
 */
title: string, };

/**
 * `chat.delete_session`.
 */
export type DeleteSession = { 
/**
 * The conversation.
 */
sessionId: SessionId, };

/**
 * `chat.approve_tool`.
 */
export type ApproveTool = { 
/**
 * The call that waits.
 */
toolUseId: ToolUseId, 
/**
 * The answer it is part of. Without it the call is looked for among the answers that this very process makes.
 */
messageId?: MessageId, 
/**
 * Whether it may run.
 */
approved: boolean, };

/**
 * What to sum usage by.
 */
export type GroupBy = "user" | "organization" | "session" | "model" | "day" | "hour";

/**
 * Whose usage.
 */
export type UsageScope = "own" | "organization" | "all";

/**
 * `chat.get_usage`.
 */
export type UsageQuery = { 
/**
 * From this point on; 30 days before `to` where it is left out.
 */
from?: Timestamp, 
/**
 * Up to this point, itself left out; now where it is left out.
 */
to?: Timestamp, 
/**
 * One row for each of these.
 */
groupBy: GroupBy, 
/**
 * Whose; one's own where it is left out.
 */
scope?: UsageScope, };

/**
 * `client.hello`.
 */
export type ClientHello = { 
/**
 * The version of the protocol that the client speaks.
 */
version: number, 
/**
 * Who it is, where the proxy asks for it.
 */
token?: string, };

/**
 * `auth.refresh`.
 */
export type AuthRefresh = { 
/**
 * The fresh token.
 */
token: string, };

/**
 * `ping`.
 */
export type Ping = Record<symbol, never>;

/**
 * `chat.message_response`.
 */
export type MessageResponse = { 
/**
 * The conversation.
 */
sessionId: SessionId, 
/**
 * The answer.
 */
message: Message, };

/**
 * `chat.message_stream`, `chat.reasoning_stream` and `chat.tool_input_stream`: the events `first` to `seq`, joined.
 */
export type MessageStream = { 
/**
 * The conversation.
 */
sessionId: SessionId, 
/**
 * The answer.
 */
messageId: MessageId, 
/**
 * Which part of the answer the text belongs to, from 0.
 */
part: number, 
/**
 * The number of the first event in the frame.
 */
first: number, 
/**
 * The number of the last event in the frame.
 */
seq: number, 
/**
 * The text to append.
 */
content: string, };

/**
 * `chat.message_complete`.
 */
export type MessageComplete = { 
/**
 * The conversation.
 */
sessionId: SessionId, 
/**
 * The answer.
 */
messageId: MessageId, 
/**
 * The number of this event.
 */
seq: number, 
/**
 * The model that wrote it.
 */
model: string, 
/**
 * Why the answer ended.
 */
stopReason: StopReason, 
/**
 * What it used.
 */
usage: Usage, };

/**
 * `chat.tool_use`.
 */
export type ToolUseUpdate = { 
/**
 * The answer.
 */
messageId: MessageId, 
/**
 * The number of this event.
 */
seq: number, 
/**
 * The call.
 */
toolUseId: ToolUseId, 
/**
 * The tool's own name.
 */
name: string, 
/**
 * The MCP server that has it; none of a name that no tool has.
 */
server?: string, 
/**
 * Its arguments, as JSON; `{}` while the model is writing them.
 */
input: RawJson, 
/**
 * Its arguments as far as the model has written them, while it does.
 */
partialInput?: string, 
/**
 * How far it has come.
 */
status: ToolStatus, 
/**
 * How long it ran, in milliseconds.
 */
durationMs?: number, 
/**
 * What it returned, as JSON: a `ToolResult`.
 */
result?: ToolResult, 
/**
 * Whether a person let it run.
 */
approved?: boolean, };

/**
 * `chat.tool_approved`: what was said about a call with `chat.approve_tool` is taken. The call itself goes on with `chat.tool_use`.
 */
export type ToolApproved = { 
/**
 * The call.
 */
toolUseId: ToolUseId, 
/**
 * Whether it runs.
 */
approved: boolean, };

/**
 * What an answer is waiting for.
 */
export type StatusState = "queued" | "retrying" | "stalled" | "settling";

/**
 * `chat.status`. It is no event: it has no number, and nothing is lost with it.
 */
export type Status = { 
/**
 * The answer.
 */
messageId: MessageId, 
/**
 * What it is waiting for.
 */
state: StatusState, 
/**
 * When Bedrock is asked again, in milliseconds from now.
 */
retryInMs?: number, };

/**
 * `chat.snapshot`.
 */
export type Snapshot = { 
/**
 * The conversation.
 */
sessionId: SessionId, 
/**
 * The answer.
 */
messageId: MessageId, 
/**
 * The number of the last event in it; the tail goes on from there.
 */
seq: number, 
/**
 * Where the answer stands.
 */
state: AnswerState, 
/**
 * The answer so far.
 */
message: Message, };

/**
 * A conversation, in `chat.session_created`, `chat.session_updated` and lists.
 */
export type Session = { 
/**
 * The conversation.
 */
sessionId: SessionId, 
/**
 * Its title; absent until the first message.
 */
title?: string, 
/**
 * The model of its answers, if it has one of its own.
 */
model?: string, 
/**
 * When it was made.
 */
createdAt: Timestamp, 
/**
 * When something was last said in it.
 */
updatedAt: Timestamp, 
/**
 * How many messages it has.
 */
messageCount: number, };

/**
 * `chat.sessions_response`.
 */
export type SessionsResponse = { 
/**
 * The latest first.
 */
sessions: Array<Session>, 
/**
 * Whether there are older ones.
 */
hasMore: boolean, };

/**
 * An answer in progress, in [`HistoryResponse`].
 */
export type InProgress = { 
/**
 * The answer so far.
 */
message: Message, 
/**
 * The number of the last event in it: what to resume after.
 */
seq: number, };

/**
 * `chat.history_response`.
 */
export type HistoryResponse = { 
/**
 * The conversation.
 */
sessionId: SessionId, 
/**
 * The oldest first.
 */
messages: Array<Message>, 
/**
 * Whether there are older ones.
 */
hasMore: boolean, 
/**
 * The answer that is being made, on the latest page.
 */
inProgress?: InProgress, };

/**
 * `chat.session_deleted`.
 */
export type SessionDeleted = { 
/**
 * The conversation that is gone.
 */
sessionId: SessionId, };

/**
 * One row of [`UsageResponse`].
 */
export type UsageRow = { 
/**
 * The user, organisation, session or model; a day as `2026-11-26`, an hour as `2026-11-26T09:00Z`, both UTC. Where a name is one of
 * its organisation's or user's only, theirs stand before it: `acme / ann`.
 */
key: string, 
/**
 * How many answers.
 */
turns: number, 
/**
 * How many calls of models; one that was made again counts again.
 */
calls: number, 
/**
 * Those of them whose usage is an estimate.
 */
estimatedCalls: number, 
/**
 * Those of them whose model has no price; the cost leaves them out.
 */
unpricedCalls: number, 
/**
 * How many tools were called.
 */
toolCalls: number, 
/**
 * What they used.
 */
usage: Usage, };

/**
 * What some calls of models used.
 */
export type UsageSum = { 
/**
 * How many answers.
 */
turns: number, 
/**
 * How many calls of models; one that was made again counts again.
 */
calls: number, 
/**
 * Those of them whose usage is an estimate.
 */
estimatedCalls: number, 
/**
 * Those of them whose model has no price; the cost leaves them out.
 */
unpricedCalls: number, 
/**
 * How many tools were called.
 */
toolCalls: number, 
/**
 * What they used.
 */
usage: Usage, };

/**
 * Whom a budget is for.
 */
export type BudgetScope = "user" | "organization" | "proxy";

/**
 * How long a budget lasts, UTC.
 */
export type BudgetPeriod = "day" | "month";

/**
 * What a budget is counted in.
 */
export type BudgetUnit = "nano_usd" | "tokens";

/**
 * A budget, and how it stands for whoever asks.
 */
export type BudgetState = { 
/**
 * Whom it is for.
 */
scope: BudgetScope, 
/**
 * How long it lasts.
 */
period: BudgetPeriod, 
/**
 * What the amounts are.
 */
unit: BudgetUnit, 
/**
 * How much there is.
 */
limit: number, 
/**
 * How much was used.
 */
spent: number, 
/**
 * How much is set aside for answers under way.
 */
reserved: number, 
/**
 * When it begins anew.
 */
renewsAt: Timestamp, };

/**
 * `chat.usage_response`.
 */
export type UsageResponse = { 
/**
 * From this point on.
 */
from: Timestamp, 
/**
 * Up to this point, itself left out.
 */
to: Timestamp, 
/**
 * One row for each key, in the order of the keys where these are times, the dearest first where not.
 */
rows: Array<UsageRow>, 
/**
 * The sum of all rows.
 */
total: UsageSum, 
/**
 * The budgets that hold for whoever asks.
 */
budgets: Array<BudgetState>, };

/**
 * What a person may see and change.
 */
export type PrincipalRole = "user" | "administrator" | "operator";

/**
 * Who the proxy takes the client for.
 */
export type Principal = { 
/**
 * The person.
 */
user: string, 
/**
 * The organisation the person belongs to.
 */
organization: string, 
/**
 * What the person may do beyond their own.
 */
role: PrincipalRole, };

/**
 * The bounds that a client should know before it runs into them.
 */
export type Limits = { 
/**
 * The longest frame, in bytes.
 */
maxFrameBytes: number, 
/**
 * The longest message, in characters.
 */
maxMessageChars: number, 
/**
 * How many answers may be made for one socket at a time.
 */
maxParallelTurns: number, 
/**
 * The longest `systemPrompt`, in characters; 0 where none is taken. Proxies before it was there do not say.
 */
maxSystemPromptChars?: number, };

/**
 * A model that the client may ask for.
 */
export type ModelInfo = { 
/**
 * The model id or inference profile.
 */
model: string, 
/**
 * Whether it answers where none is named.
 */
default: boolean, 
/**
 * The most tokens it writes in an answer.
 */
maxOutputTokens?: number, 
/**
 * The most tokens it reads.
 */
contextTokens?: number, 
/**
 * What it costs; absent where that is not known.
 */
price?: ModelPrice, };

/**
 * When a person is asked before a tool is called.
 */
export type ToolApproval = "always" | "session" | "never";

/**
 * A tool that the model may call.
 */
export type ToolInfo = { 
/**
 * The tool's own name.
 */
name: string, 
/**
 * The MCP server that has it.
 */
server: string, 
/**
 * Its name for people.
 */
title?: string, 
/**
 * What it does, in its server's words.
 */
description?: string, 
/**
 * When a person is asked before it is called.
 */
approval: ToolApproval, };

/**
 * `server.hello`.
 */
export type ServerHello = { 
/**
 * The version of the protocol that the proxy speaks.
 */
version: number, 
/**
 * Who the client is.
 */
principal: Principal, 
/**
 * How much longer the token counts, in milliseconds; none where there is no token. A fresh one is sent with `auth.refresh`
 * before that. It is no point in time, since clocks differ.
 */
expiresInMs?: number, 
/**
 * Whether answers come from the emulator and not from Bedrock.
 */
demo: boolean, 
/**
 * The bounds.
 */
limits: Limits, 
/**
 * The models the client may ask for.
 */
models: Array<ModelInfo>, 
/**
 * The price table the costs are computed from.
 */
priceVersion: string, 
/**
 * The tools that the model may call for this person.
 */
tools: Array<ToolInfo>, };

/**
 * `auth.refreshed`.
 */
export type AuthRefreshed = { 
/**
 * How much longer the fresh token counts, in milliseconds; none where no token is asked for.
 */
expiresInMs?: number, };

/**
 * `pong`.
 */
export type Pong = Record<symbol, never>;

/**
 * `server.draining`.
 */
export type Draining = { 
/**
 * When to connect again, in milliseconds from now; spread out over the clients.
 */
reconnectInMs: number, };

/** What a client may send: the data of each type. */
export interface ClientMessages {
  "chat.send_message": SendMessage;
  "chat.cancel": Cancel;
  "chat.resume": Resume;
  "chat.regenerate": Regenerate;
  "chat.create_session": CreateSession;
  "chat.list_sessions": ListSessions;
  "chat.get_history": GetHistory;
  "chat.rename_session": RenameSession;
  "chat.delete_session": DeleteSession;
  "chat.approve_tool": ApproveTool;
  "chat.get_usage": UsageQuery;
  "client.hello": ClientHello;
  "auth.refresh": AuthRefresh;
  "ping": Ping;
}

/** What the proxy may send: the data of each type. */
export interface ServerMessages {
  "chat.message_response": MessageResponse;
  "chat.message_stream": MessageStream;
  "chat.message_complete": MessageComplete;
  "chat.reasoning_stream": MessageStream;
  "chat.tool_input_stream": MessageStream;
  "chat.tool_use": ToolUseUpdate;
  "chat.tool_approved": ToolApproved;
  "chat.status": Status;
  "chat.snapshot": Snapshot;
  "chat.error": ErrorData;
  "chat.session_created": Session;
  "chat.sessions_response": SessionsResponse;
  "chat.history_response": HistoryResponse;
  "chat.session_updated": Session;
  "chat.session_deleted": SessionDeleted;
  "chat.usage_response": UsageResponse;
  "server.hello": ServerHello;
  "auth.refreshed": AuthRefreshed;
  "pong": Pong;
  "server.draining": Draining;
}
