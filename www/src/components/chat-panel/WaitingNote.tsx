import { Show } from "solid-js";
import type { Answer } from "../../chat/state.ts";
import { createCountdown } from "../common/countdown.ts";

/** A mark that the answer is under way, and what it waits for: the connection, or what the proxy says. */
export function WaitingNote(props: { answer: Answer; connected: boolean }) {
  const seconds = createCountdown(() => props.answer.waiting?.until);
  const note = () => {
    if (!props.connected && props.answer.phase === "sent") return "Waiting for the connection…";
    switch (props.answer.waiting?.state) {
      case "queued":
        return "Waiting for a free place…";
      case "retrying":
        return seconds() > 0 ? `Bedrock is busy. Asking again in ${seconds()} s…` : "Bedrock is busy. Asking again…";
      case "stalled":
        return "Bedrock is silent. Still waiting…";
      case "settling":
      case undefined:
        return undefined;
    }
  };
  return (
    <p class="oc-waiting">
      <Show when={props.answer.text === "" || note() !== undefined}>
        <span class="oc-dots" aria-hidden="true"><span /><span /><span /></span>
      </Show>
      <Show when={note() ?? (props.answer.text === "" ? "Thinking…" : undefined)}>{(text) => <span class="oc-muted">{text()}</span>}</Show>
    </p>
  );
}
