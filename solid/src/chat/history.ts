import type { AttachmentInfo, ErrorData, HistoryResponse, Message } from "@outcrop/client";
import type { Failure } from "./failure.ts";
import { storedParts } from "./parts.ts";
import type { Replacing } from "./replacing.ts";
import type { Answer, ChatMessage, ChatState } from "./state.ts";

/** The state with a page of history before what it has. What the page already shows is not taken twice. */
export function fromHistory(before: ChatState, loaded: HistoryResponse): ChatState {
  const { state, page } = withoutReplaced(withIds(before, loaded.messages), loaded);
  const shown = new Set(state.messages.flatMap(idsOf));
  const latest = page.messages.at(-1);
  const isNew = (message: Message, index: number) => !isShown(message, page.messages[index - 1], shown);
  const older = page.messages.filter((message, index) => isNew(message, index) && !(message === latest && isAskedAgain(page, message, state)));
  const messages = [...older.map(storedMessage), ...state.messages];
  const next = { ...state, messages, history: { phase: "loaded", hasMore: page.hasMore } } as const;
  // An answer that this page asked for is under way already, under a key of its own.
  if (page.inProgress === undefined || state.turn !== undefined || isShown(page.inProgress.message, latest, shown)) return next;
  const answer = storedMessage(page.inProgress.message) as Answer;
  return { ...next, messages: [...messages, { ...answer, phase: answer.parts.length === 0 ? "sent" : "streaming" }], turn: answer.key };
}

/**
 * A page of history without what gives way to an answer that this page's forerunner asked for, where the proxy has not taken that request
 * yet.
 */
function withoutReplaced(state: ChatState, page: HistoryResponse): { state: ChatState; page: HistoryResponse } {
  const { replacing } = state;
  const at = replacing === undefined ? -1 : firstReplaced(page.messages, replacing);
  if (replacing === undefined || at < 0) return { state, page };
  const cut = page.messages.slice(at).map(storedMessage);
  return { state: { ...state, replacing: { ...replacing, messages: [...cut, ...replacing.messages] } }, page: { ...page, messages: page.messages.slice(0, at) } };
}

/** Where what gives way begins. An answer gives way with its question, which is shown as the new one; of one that has nothing, only that is stored. */
function firstReplaced(messages: readonly Message[], { from, again, answerKey }: Replacing): number {
  const at = messages.findIndex(({ messageId }) => messageId === from);
  if (!again) return at;
  if (at >= 0) return Math.max(0, at - 1);
  const latest = messages.at(-1);
  return latest?.role === "user" && latest.requestId !== answerKey ? messages.length - 1 : -1;
}

/** The state with the proxy's ids of the questions that were asked on this page: each has the id it was asked under, the key of its answer. */
export function withIds(state: ChatState, stored: readonly Message[]): ChatState {
  const byRequest = new Map(stored.flatMap(({ requestId, messageId }) => (requestId === undefined ? [] : [[requestId, messageId] as const])));
  const messages = state.messages.map((message, index) => {
    if (message.role !== "user" || message.messageId !== undefined) return message;
    const messageId = byRequest.get(state.messages[index + 1]?.key ?? "");
    return messageId === undefined ? message : { ...message, messageId };
  });
  return { ...state, messages };
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
  if (message.role === "user") return { ...base, role: "user", messageId: message.messageId, ...(attachments.length === 0 ? {} : { files: attachments }) };
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
  return message.messageId !== undefined ? [message.key, message.messageId] : [message.key];
}
