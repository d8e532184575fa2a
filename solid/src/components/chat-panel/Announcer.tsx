import type { ToolUse } from "@outcrop/client";
import { createEffect, createMemo, createSignal, on } from "solid-js";
import { callsIn } from "../../chat/parts.ts";
import { answerUnderWay, type ChatState } from "../../chat/state.ts";
import { toolState, toolTitle } from "../../format/tools.ts";
import type { Texts } from "../../texts/english.ts";
import { useTexts } from "../../texts/TextsProvider.tsx";
import { usePanel } from "./panel.ts";

/** Longer answers are announced by their beginning. */
const MAX_ANNOUNCED_CHARS = 600;

/** Tells screen readers when an answer begins, what its tools do, and what it says once it has ended: not every token. */
export function Announcer(props: { state: ChatState; connected: boolean }) {
  const panel = usePanel();
  const texts = useTexts();
  const [text, setText] = createSignal("");
  const calls = createMemo(() => new Map(callsIn(answerUnderWay(props.state)?.parts ?? []).map(({ call }) => [call.toolUseId, call])));

  const sessionId = createMemo(() => props.state.sessionId);
  const key = createMemo(() => answerUnderWay(props.state)?.key);
  const begins = createMemo(() => {
    const isUnsent = !props.connected && answerUnderWay(props.state)?.phase === "sent";
    return isUnsent ? texts().announcements.unsent : texts().announcements.answering;
  });
  createEffect(
    on([sessionId, key, begins], ([session, now, words], before) => {
      if (before === undefined || before[0] !== session) return setText("");
      if (now !== undefined) return setText(words);
      const ended = props.state.messages.findLast((message) => message.key === before[1]);
      if (ended?.role === "assistant") setText(announcement(texts(), ended.phase, ended.text));
    }),
  );
  createEffect(
    on(calls, (now, before) => {
      const changed = [...now.values()].filter((call) => before !== undefined && isNews(call, before.get(call.toolUseId)));
      const words = changed.map((call) => newsOf(texts(), call, toolTitle(call, panel.toolInfo(call))));
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

function newsOf({ announcements, tools }: Texts, call: ToolUse, title: string): string {
  if (call.status === "pending_approval") return announcements.toolAsks(title);
  return call.status === "preparing" || call.status === "running" ? announcements.toolBegins(title) : announcements.toolEnds(title, tools.states[toolState(call, false).name]);
}

function announcement({ announcements }: Texts, phase: string, text: string): string {
  const spoken = text.replace(/[#*_`|>]+/g, " ").replace(/\s+/g, " ").trim();
  const cut = spoken.length > MAX_ANNOUNCED_CHARS ? announcements.cut(spoken.slice(0, MAX_ANNOUNCED_CHARS)) : spoken;
  if (phase === "failed") return announcements.failed;
  return phase === "stopped" || phase === "stopping" ? announcements.stopped(cut) : cut;
}
