import type { StatusState, StopReason, Usage } from "@outcrop/client";
import type { SentFile } from "./attachments.ts";
import type { Failure } from "./failure.ts";
import type { AnswerPart } from "./parts.ts";

/** One conversation as the page shows it. Values are never changed in place: the reducer makes new ones. */
export interface ChatState {
  readonly sessionId: string;
  /** The oldest first. */
  readonly messages: readonly ChatMessage[];
  /** The key of the answer that is being made for this page. */
  readonly turn?: string;
  readonly history: HistoryState;
  /** What answers used that failed and gave way to another one. */
  readonly replaced?: readonly Usage[];
}

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

/** The last question and its answer where that answer failed or was interrupted: what a retry repeats, if the page has its files. */
export function retryable(state: ChatState): { question: Question; answer: Answer } | undefined {
  const last = failedLast(state);
  return last !== undefined && last.answer.failure?.retryable && hasItsFiles(last.question) ? last : undefined;
}

/** The key of the last answer if it could be retried, had the page the files that were sent with the question. */
export function lacksFiles(state: ChatState): string | undefined {
  const last = failedLast(state);
  return last !== undefined && last.answer.failure?.retryable && !hasItsFiles(last.question) ? last.answer.key : undefined;
}

function failedLast(state: ChatState): { question: Question; answer: Answer } | undefined {
  const answer = state.messages.at(-1);
  const question = state.messages.at(-2);
  if (answer?.role !== "assistant" || question?.role !== "user" || state.turn !== undefined) return undefined;
  return answer.phase === "failed" ? { question, answer } : undefined;
}

function hasItsFiles({ files = [] }: Question): boolean {
  return files.every((file) => file.data !== undefined);
}
