import type { ErrorData, HistoryResponse, Message, ToolUse } from "@outcrop/client";
import type { Failure } from "./failure.ts";
import { answerUnderWay, type Answer, type ChatMessage, type ChatState } from "./state.ts";

/** The state with a page of history before what it has. What the page already shows is not taken twice. */
export function fromHistory(state: ChatState, page: HistoryResponse): ChatState {
  const shown = new Set(state.messages.flatMap(idsOf));
  const older = page.messages.filter((_, index) => !isShown(page, index, shown, state)).map(storedMessage);
  const messages = [...older, ...state.messages];
  const loaded = { ...state, messages, history: { phase: "loaded", hasMore: page.hasMore } } as const;
  // An answer that this page asked for is under way already, under a key of its own.
  if (page.inProgress === undefined || state.turn !== undefined || shown.has(page.inProgress.message.messageId)) return loaded;
  const answer = storedMessage(page.inProgress.message) as Answer;
  return { ...loaded, messages: [...messages, { ...answer, phase: answer.text === "" ? "sent" : "streaming" }], turn: answer.key };
}

/**
 * Whether the page may hold, with its question, the answer that is under way here, while it is not known yet under which id: then
 * nothing can be said of what is shown twice before the answer has its name.
 */
export function mayHold(page: HistoryResponse, state: ChatState): boolean {
  const answer = answerUnderWay(state);
  if (answer === undefined || answer.messageId !== undefined) return false;
  const text = lastQuestion(state);
  return page.messages.slice(0, -1).some((message) => message.role === "user" && message.content === text);
}

/**
 * Whether a stored message is shown already. What was asked on this page has a key of the page's own, so that the question is known by
 * its answer; the last one, which may have none yet, by its text.
 */
function isShown(page: HistoryResponse, index: number, shown: ReadonlySet<string>, state: ChatState): boolean {
  const message = page.messages[index];
  if (message === undefined || shown.has(message.messageId)) return true;
  if (message.role !== "user") return false;
  const answer = page.messages[index + 1] ?? page.inProgress?.message;
  if (answer !== undefined && shown.has(answer.messageId)) return true;
  const isLatest = index === page.messages.length - 1 && !state.history.hasMore;
  return isLatest && message.content === lastQuestion(state);
}

/** The last question as the proxy has it: half a surrogate pair is no text and was replaced on its way. */
function lastQuestion(state: ChatState): string | undefined {
  return state.messages.findLast((message) => message.role === "user")?.text.replace(/\p{Surrogate}/gu, "\ufffd");
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
