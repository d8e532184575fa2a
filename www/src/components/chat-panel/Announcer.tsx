import { createEffect, createSignal, on } from "solid-js";
import { answerUnderWay, type ChatState } from "../../chat/state.ts";

/** Longer answers are announced by their beginning. */
const MAX_ANNOUNCED_CHARS = 600;

/** Tells screen readers when an answer begins and what it says once it has ended: not every token. */
export function Announcer(props: { state: ChatState; connected: boolean }) {
  const [text, setText] = createSignal("");
  createEffect(
    on(
      () => [props.state.sessionId, answerUnderWay(props.state)?.key] as const,
      ([sessionId, key], before) => {
        if (before === undefined || before[0] !== sessionId) return setText("");
        if (key !== undefined) return setText(props.connected ? "Claude is answering." : "Your message waits for the connection.");
        const ended = props.state.messages.findLast((message) => message.key === before[1]);
        if (ended?.role === "assistant") setText(announcement(ended.phase, ended.text));
      },
    ),
  );
  return <div class="oc-hidden" role="status" aria-live="polite">{text()}</div>;
}

function announcement(phase: string, text: string): string {
  const spoken = text.replace(/[#*_`|>]+/g, " ").replace(/\s+/g, " ").trim();
  const cut = spoken.length > MAX_ANNOUNCED_CHARS ? `${spoken.slice(0, MAX_ANNOUNCED_CHARS)}… The whole answer is in the list of messages.` : spoken;
  if (phase === "failed") return "The answer failed.";
  return phase === "stopped" || phase === "stopping" ? `The answer was stopped. ${cut}` : cut;
}
