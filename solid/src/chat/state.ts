import type { StatusState, StopReason, Usage } from "@outcrop/client";
import type { SentFile } from "./attachments.ts";
import type { Failure } from "./failure.ts";
import type { AnswerPart } from "./parts.ts";
import type { Refusal, Replacing } from "./replacing.ts";

/** One conversation as the page shows it. Values are never changed in place: the reducer makes new ones. */
export interface ChatState {
  readonly sessionId: string;
  /** The oldest first. */
  readonly messages: readonly ChatMessage[];
  /** The key of the answer that is being made for this page. */
  readonly turn?: string;
  readonly history: HistoryState;
  /** What gives way to the answer that was asked for, until the proxy has taken the request. */
  readonly replacing?: Replacing;
  /** Why the proxy did not take the last request that was to replace something. */
  readonly refused?: Refusal;
  /** What answers used that gave way to another one. */
  readonly replaced?: readonly Usage[];
}

/** A message of either side. */
export type ChatMessage = Question | Answer;

interface MessageBase {
  /** Names the message on this page, from the moment it is sent. */
  readonly key: string;
  /** All its text; that of an answer is its text parts joined. */
  readonly text: string;
  /** When it was sent or stored, in milliseconds since the epoch. */
  readonly at: number;
}

/** What the person said. */
export interface Question extends MessageBase {
  readonly role: "user";
  /** The proxy's id, where the page has heard it. */
  readonly messageId?: string;
  /** The files that were sent with it. Their data stays only while the question may have to be asked again. */
  readonly files?: readonly SentFile[];
}

/** What the model said. */
export interface Answer extends MessageBase {
  readonly role: "assistant";
  readonly phase: AnswerPhase;
  /** What it is made of, in order. */
  readonly parts: readonly AnswerPart[];
  /** The proxy's id: there from the first event on. */
  readonly messageId?: string;
  readonly model?: string;
  /** What the answer waits for, while it does. */
  readonly waiting?: Waiting;
  readonly stopReason?: StopReason;
  readonly usage?: Usage;
  readonly failure?: Failure;
  /** Measured on this page; absent where this page did not see all of it. */
  readonly timing?: Timing;
}

/**
 * `sent`: nothing has come yet. `stopping`: it was stopped, here or in another tab, and what it used is still being counted; the
 * next message may be sent.
 */
export type AnswerPhase = "sent" | "streaming" | "stopping" | "complete" | "stopped" | "failed";

/** What an answer waits for. */
export interface Waiting {
  readonly state: StatusState;
  /** When Bedrock is asked again, in milliseconds since the epoch. */
  readonly until?: number;
}

/** Points in time of one answer, in milliseconds since the epoch. */
export interface Timing {
  readonly sentAt: number;
  readonly firstAt?: number;
  readonly endedAt?: number;
}

/** How much of a stored conversation is here. */
export interface HistoryState {
  readonly phase: "idle" | "loading" | "loaded" | "failed";
  /** Whether the proxy has older messages. */
  readonly hasMore: boolean;
  readonly failure?: Failure;
}

/** A conversation in which nothing has been said on this page. */
export function emptyChat(sessionId: string): ChatState {
  return { sessionId, messages: [], history: { phase: "idle", hasMore: false } };
}

/** The answer that is being made, if one is. */
export function answerUnderWay(state: ChatState): Answer | undefined {
  return state.turn === undefined ? undefined : answerOf(state, state.turn);
}

export function answerOf(state: ChatState, key: string): Answer | undefined {
  const found = state.messages.findLast((message) => message.key === key);
  return found?.role === "assistant" ? found : undefined;
}

/** Whether something that was said can give way to something else now. */
export function isSettled(state: ChatState): boolean {
  return state.turn === undefined && state.replacing === undefined && state.messages.every((message) => message.role === "user" || message.phase !== "stopping");
}

/** The last question and its answer where that answer failed or was interrupted: what a retry repeats. */
export function retryable(state: ChatState): { question: Question; answer: Answer } | undefined {
  const answer = state.messages.at(-1);
  const question = state.messages.at(-2);
  if (answer?.role !== "assistant" || question?.role !== "user" || !isSettled(state)) return undefined;
  return answer.phase === "failed" && answer.failure?.retryable ? { question, answer } : undefined;
}

/** The key of the last answer if it can be asked for again, though it did not fail. */
export function regenerable(state: ChatState): string | undefined {
  const last = state.messages.at(-1);
  const isOver = last?.role === "assistant" && (last.phase === "complete" || last.phase === "stopped");
  return isOver && last.messageId !== undefined && isSettled(state) ? last.key : undefined;
}
