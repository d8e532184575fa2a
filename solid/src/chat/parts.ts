import type { Part, ToolStatus, ToolUse } from "@outcrop/client";
import type { Failure } from "./failure.ts";

/** A piece of an answer, in the order in which the model made it. */
export type AnswerPart = TextPart | ReasoningPart | ToolPart;

export interface TextPart {
  readonly type: "text";
  readonly text: string;
}

export interface ReasoningPart {
  readonly type: "reasoning";
  readonly text: string;
  /** When it began and ended, in milliseconds since the epoch; absent where this page did not see it. */
  readonly startedAt?: number;
  readonly endedAt?: number;
}

export interface ToolPart {
  readonly type: "tool";
  readonly call: ToolUse;
  /** What the person decided here, until the proxy shows what came of it. */
  readonly decision?: Decision;
}

/** What a person said to a call that waits. With a failure it did not arrive, and can be said again. */
export interface Decision {
  readonly approved: boolean;
  readonly failure?: Failure;
}

/** The parts with more of a text at their end. */
export function withText(parts: readonly AnswerPart[], content: string, at?: number): readonly AnswerPart[] {
  const last = parts.at(-1);
  if (last?.type === "text") return [...parts.slice(0, -1), { type: "text", text: last.text + content }];
  return [...closed(parts, at), { type: "text", text: content }];
}

/** The parts with more reasoning at their end. */
export function withReasoning(parts: readonly AnswerPart[], content: string, at: number): readonly AnswerPart[] {
  const last = parts.at(-1);
  if (last?.type === "reasoning") return [...parts.slice(0, -1), { ...last, text: last.text + content }];
  return [...parts, { type: "reasoning", text: content, startedAt: at }];
}

/** The parts with a call as it stands now. What was decided about it counts until the proxy has said something of it. */
export function withCall(parts: readonly AnswerPart[], call: ToolUse, at: number): readonly AnswerPart[] {
  const known = parts.findIndex((part) => part.type === "tool" && part.call.toolUseId === call.toolUseId);
  return known === -1 ? [...closed(parts, at), { type: "tool", call }] : parts.with(known, { type: "tool", call });
}

/** The parts with what a person decided about a call that waits. */
export function withDecision(parts: readonly AnswerPart[], toolUseId: string, decision: Decision): readonly AnswerPart[] {
  return parts.map((part) => (part.type === "tool" && part.call.toolUseId === toolUseId && isWaiting(part.call) ? { ...part, decision } : part));
}

/** The parts of an answer that has come to an end, whose whole text is `content`: what had not come yet is in it. */
export function withEnd(parts: readonly AnswerPart[], content: string, at: number): readonly AnswerPart[] {
  const shown = textOf(parts);
  if (content === shown) return closed(parts, at);
  if (content.startsWith(shown)) return withText(parts, content.slice(shown.length), at);
  const others = closed(parts, at).filter((part) => part.type !== "text");
  return content === "" ? others : [...others, { type: "text", text: content }];
}

/** The parts with the end of the reasoning that was under way. */
export function closed(parts: readonly AnswerPart[], at: number | undefined): readonly AnswerPart[] {
  const last = parts.at(-1);
  if (at === undefined || last?.type !== "reasoning" || last.startedAt === undefined || last.endedAt !== undefined) return parts;
  return [...parts.slice(0, -1), { ...last, endedAt: at }];
}

/** The texts joined. */
export function textOf(parts: readonly AnswerPart[]): string {
  return parts.reduce((text, part) => (part.type === "text" ? text + part.text : text), "");
}

/** The calls of tools, in order. */
export function callsIn(parts: readonly AnswerPart[]): readonly ToolPart[] {
  return parts.filter((part) => part.type === "tool");
}

/** The parts of a stored message, whose text is `content` where it has no others. */
export function storedParts(parts: readonly Part[] | undefined, content: string): readonly AnswerPart[] {
  if (parts === undefined) return content === "" ? [] : [{ type: "text", text: content }];
  return parts.map((part): AnswerPart => {
    if (part.type !== "tool_use") return { type: part.type, text: part.text };
    const { type: _, ...call } = part;
    return { type: "tool", call };
  });
}

/** Whether a person has to decide about a call. */
export function isWaiting(call: ToolUse): boolean {
  return call.status === "pending_approval";
}

const UNDER_WAY: ReadonlySet<ToolStatus> = new Set<ToolStatus>(["preparing", "pending_approval", "running"]);

/** Whether something of a call is still to come. */
export function isUnderWay(call: ToolUse): boolean {
  return UNDER_WAY.has(call.status);
}
