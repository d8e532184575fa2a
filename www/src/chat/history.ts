import type { ErrorData, HistoryResponse, Message, ToolUse } from "@outcrop/client";
import type { Failure } from "./failure.ts";
import type { Answer, ChatMessage, ChatState } from "./state.ts";

/** The state with a page of history before what it has. What the page already shows is not taken twice. */
export function fromHistory(state: ChatState, page: HistoryResponse): ChatState {
  const shown = new Set(state.messages.flatMap(idsOf));
  const stored = page.messages.map((message) => storedMessage(message));
  const older = stored.filter((message) => !shown.has(message.key));
  const messages = [...older, ...state.messages];
  const loaded = { ...state, messages, history: { phase: "loaded", hasMore: page.hasMore } } as const;
  // An answer that this page asked for is under way already, under a key of its own.
  if (page.inProgress === undefined || state.turn !== undefined || shown.has(page.inProgress.message.messageId)) return loaded;
  const answer = storedMessage(page.inProgress.message) as Answer;
  return { ...loaded, messages: [...messages, { ...answer, phase: answer.text === "" ? "sent" : "streaming" }], turn: answer.key };
}

/** A stored message as the page shows it; its key is the proxy's id. */
function storedMessage(message: Message): ChatMessage {
  const base = { key: message.messageId, text: message.content, at: Date.parse(message.timestamp) };
  if (message.role === "user") return { ...base, role: "user" };
  const parts = message.parts ?? [];
  return {
    ...base,
    role: "assistant",
    messageId: message.messageId,
    phase: message.error !== undefined ? "failed" : message.stopReason === "cancelled" ? "stopped" : "complete",
    reasoning: parts.flatMap((part) => (part.type === "reasoning" ? [part.text] : [])).join("\n\n"),
    tools: parts.flatMap((part): ToolUse[] => (part.type === "tool_use" ? [part] : [])),
    ...(message.model === undefined ? {} : { model: message.model }),
    ...(message.usage === undefined ? {} : { usage: message.usage }),
    ...(message.stopReason === undefined ? {} : { stopReason: message.stopReason }),
    ...(message.error === undefined ? {} : { failure: storedFailure(message.error) }),
  };
}

/** The wait that an old error asked for is over. */
function storedFailure({ code, message, retryable }: ErrorData): Failure {
  return { code, message, retryable };
}

function idsOf(message: ChatMessage): string[] {
  return message.role === "assistant" && message.messageId !== undefined ? [message.key, message.messageId] : [message.key];
}
