import type { ToolUse } from "@outcrop/client";
import { createEffect, createMemo, createSignal, on } from "solid-js";
import { callsIn } from "../../chat/parts.ts";
import { answerUnderWay, type ChatState } from "../../chat/state.ts";
import { toolState, toolTitle } from "../../format/tools.ts";
import { usePanel } from "./panel.ts";

/** Longer answers are announced by their beginning. */
const MAX_ANNOUNCED_CHARS = 600;

/** Tells screen readers when an answer begins, what its tools do, and what it says once it has ended: not every token. */
export function Announcer(props: { state: ChatState; connected: boolean }) {
  const panel = usePanel();
  const [text, setText] = createSignal("");
  const calls = createMemo(() => new Map(callsIn(answerUnderWay(props.state)?.parts ?? []).map(({ call }) => [call.toolUseId, call])));

  const sessionId = createMemo(() => props.state.sessionId);
  const key = createMemo(() => answerUnderWay(props.state)?.key);
  const begins = createMemo(() => {
    const isUnsent = !props.connected && answerUnderWay(props.state)?.phase === "sent";
    return isUnsent ? "Your message waits for the connection." : "Claude is answering.";
  });
  createEffect(
    on([sessionId, key, begins], ([session, now, words], before) => {
      if (before === undefined || before[0] !== session) return setText("");
      if (now !== undefined) return setText(words);
      const ended = props.state.messages.findLast((message) => message.key === before[1]);
      if (ended?.role === "assistant") setText(announcement(ended.phase, ended.text));
    }),
  );
  createEffect(
    on(calls, (now, before) => {
      const changed = [...now.values()].filter((call) => before !== undefined && isNews(call, before.get(call.toolUseId)));
      const words = changed.map((call) => newsOf(call, toolTitle(call, panel.toolInfo(call))));
      if (words.length > 0) setText(words.join(" "));
    }),
  );
  return <div class="oc-hidden" role="status" aria-live="polite">{text()}</div>;
}

/** Whether a person should hear of a call: that it is there, that it waits, and how it ended. */
function isNews(call: ToolUse, before: ToolUse | undefined): boolean {
  if (before === undefined) return true;
  return call.status !== before.status && call.status !== "running" && call.status !== "preparing";
}

function newsOf(call: ToolUse, title: string): string {
  if (call.status === "pending_approval") return `May Claude use ${title}? Allow or deny.`;
  return call.status === "preparing" || call.status === "running" ? `Using ${title}.` : `${title}: ${toolState(call, false).words}.`;
}

function announcement(phase: string, text: string): string {
  const spoken = text.replace(/[#*_`|>]+/g, " ").replace(/\s+/g, " ").trim();
  const cut = spoken.length > MAX_ANNOUNCED_CHARS ? `${spoken.slice(0, MAX_ANNOUNCED_CHARS)}… The whole answer is in the list of messages.` : spoken;
  if (phase === "failed") return "The answer failed.";
  return phase === "stopped" || phase === "stopping" ? `The answer was stopped. ${cut}` : cut;
}
