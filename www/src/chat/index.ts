export { createChat, makeChat, type Chat, type ChatOptions } from "./chat.ts";
export type { Client } from "./client.ts";
export { createConversations, makeConversations, type Conversations, type ConversationsOptions } from "./conversations.ts";
export type { Connection } from "./connection.ts";
export { headline, type Failure } from "./failure.ts";
export { makeSessions, type Sessions, type SessionsState } from "./sessions.ts";
export { tokensPerSecond, type AnswerRecord } from "./answer-log.ts";
export type { Answer, AnswerPhase, ChatMessage, ChatState, Question } from "./state.ts";
