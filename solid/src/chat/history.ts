import type { AttachmentInfo, ErrorData, HistoryResponse, Message } from "@outcrop/client";
import type { Failure } from "./failure.ts";
import { storedParts } from "./parts.ts";
import type { Answer, ChatMessage, ChatState } from "./state.ts";

/** The state with a page of history before what it has. What the page already shows is not taken twice. */
export function fromHistory(state: ChatState, page: HistoryResponse): ChatState {
  const shown = new Set(state.messages.flatMap(idsOf));
  const latest = page.messages.at(-1);
  const isNew = (message: Message, index: number) => !isShown(message, page.messages[index - 1], shown);
  const older = page.messages.filter((message, index) => isNew(message, index) && !(message === latest && isAskedAgain(page, message, state)));
  const messages = [...older.map(storedMessage), ...state.messages];
  const loaded = { ...state, messages, history: { phase: "loaded", hasMore: page.hasMore } } as const;
  // An answer that this page asked for is under way already, under a key of its own.
  if (page.inProgress === undefined || state.turn !== undefined || isShown(page.inProgress.message, latest, shown)) return loaded;
  const answer = storedMessage(page.inProgress.message) as Answer;
  return { ...loaded, messages: [...messages, { ...answer, phase: answer.parts.length === 0 ? "sent" : "streaming" }], turn: answer.key };
}

/**
 * Whether a stored message is shown already. What was asked on this page has keys of the page's own: its question is known by the id
 * it was asked under, which is the key of its answer, and its answer by the question before it.
 */
function isShown(message: Message, before: Message | undefined, shown: ReadonlySet<string>): boolean {
  const request = (message.role === "user" ? message : before)?.requestId;
  return shown.has(message.messageId) || (request !== undefined && shown.has(request));
}

/**
 * Whether the latest stored message is the question that is sent here again, after a failure before anything came, and has not arrived
 * yet: the proxy will take the two for one, by their text and files. In the text, half a surrogate pair was replaced on its way.
 */
function isAskedAgain(page: HistoryResponse, latest: Message, state: ChatState): boolean {
  const key = state.messages.at(-1)?.key;
  const question = state.messages.findLast((message) => message.role === "user");
  const isOlderPage = state.history.hasMore;
  const hasArrived = page.messages.some((message) => message.requestId === key);
  const isSame = latest.content === question?.text.replace(/\p{Surrogate}/gu, "\ufffd") && namesOf(latest.attachments) === namesOf(question.files);
  return !isOlderPage && !hasArrived && latest.role === "user" && isSame;
}

function namesOf(files: readonly AttachmentInfo[] = []): string {
  return JSON.stringify(files.map(({ name, bytes }) => [name, bytes]));
}

/** A stored message as the page shows it; its key is the proxy's id. */
function storedMessage(message: Message): ChatMessage {
  const base = { key: message.messageId, text: message.content, at: Date.parse(message.timestamp) };
  const { attachments = [] } = message;
  if (message.role === "user") return { ...base, role: "user", ...(attachments.length === 0 ? {} : { files: attachments }) };
  return {
    ...base,
    role: "assistant",
    messageId: message.messageId,
    phase: message.error !== undefined ? "failed" : message.stopReason === "cancelled" ? "stopped" : "complete",
    parts: storedParts(message.parts, message.content),
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
