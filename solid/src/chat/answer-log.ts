import type { Usage } from "@outcrop/client";
import type { ChatEvent } from "./reduce.ts";
import { answerOf, type Answer, type AnswerPhase, type ChatState } from "./state.ts";

/** What one answer of this page took, measured where it was read. */
export interface AnswerRecord {
  readonly key: string;
  readonly sessionId: string;
  readonly model?: string;
  /** When it was asked for, in milliseconds since the epoch. */
  readonly at: number;
  /** From sending to the first token, in milliseconds; absent where none came. */
  readonly firstTokenMs?: number;
  /** From sending to the end, in milliseconds. */
  readonly durationMs: number;
  readonly outcome: Extract<AnswerPhase, "complete" | "stopped" | "failed">;
  readonly usage?: Usage;
}

/** How many records a page keeps. */
export const MAX_RECORDS = 200;

/** The log with the answer that this event ended, if it ended one. The latest is last; the oldest go. */
export function logAnswer(log: readonly AnswerRecord[], event: ChatEvent, state: ChatState): readonly AnswerRecord[] {
  const ends = event.type === "failed" || event.type === "stopped" || (event.type === "received" && event.chunk.type === "done");
  const answer = ends ? answerOf(state, event.answerKey) : undefined;
  if (answer?.timing?.endedAt === undefined) return log;
  return [...log, record(answer, state.sessionId)].slice(-MAX_RECORDS);
}

function record(answer: Answer, sessionId: string): AnswerRecord {
  const { sentAt, firstAt, endedAt } = answer.timing ?? { sentAt: answer.at };
  return {
    key: answer.key,
    sessionId,
    at: answer.at,
    durationMs: (endedAt ?? sentAt) - sentAt,
    outcome: answer.phase === "stopped" || answer.phase === "failed" ? answer.phase : "complete",
    ...(answer.model === undefined ? {} : { model: answer.model }),
    ...(firstAt === undefined ? {} : { firstTokenMs: firstAt - sentAt }),
    ...(answer.usage === undefined ? {} : { usage: answer.usage }),
  };
}

/** Output tokens per second between the first token and the end; undefined where that is no time. */
export function tokensPerSecond(record: AnswerRecord): number | undefined {
  if (record.usage === undefined || record.firstTokenMs === undefined) return undefined;
  const writingMs = record.durationMs - record.firstTokenMs;
  return writingMs > 0 ? (record.usage.outputTokens * 1_000) / writingMs : undefined;
}
