import { Show } from "solid-js";
import type { Answer } from "../../chat/state.ts";
import { createCountdown } from "../common/countdown.ts";

const UNSENT = "Waiting for the connection. Your message goes out when it is back.";
const UNHEARD = "Waiting for the connection. The answer comes when it is back.";

/** A mark that the answer is under way, and what it waits for: the connection, or what the proxy says. */
export function WaitingNote(props: { answer: Answer; connected: boolean }) {
  const seconds = createCountdown(() => props.answer.waiting?.until);
  const note = () => {
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
  const isCutOff = () => !props.connected && props.answer.phase === "sent";
  return (
    <Show when={!isCutOff()} fallback={<p class="oc-note">{props.answer.messageId === undefined ? UNSENT : UNHEARD}</p>}>
      <p class="oc-waiting">
        <Show when={props.answer.text === "" || note() !== undefined}>
          <span class="oc-dots" aria-hidden="true"><span /><span /><span /></span>
        </Show>
        <Show when={note() ?? (props.answer.text === "" ? "Thinking…" : undefined)}>{(text) => <span class="oc-muted">{text()}</span>}</Show>
      </p>
    </Show>
  );
}
