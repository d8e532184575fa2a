import { Show } from "solid-js";
import { isUnderWay, isWaiting } from "../../chat/parts.ts";
import type { Answer } from "../../chat/state.ts";
import { createCountdown } from "../common/countdown.ts";

const UNSENT = "Waiting for the connection. Your message goes out when it is back.";
const UNHEARD = "Waiting for the connection. The answer comes when it is back.";

/** What an answer does that waits for nothing outside: undefined where that is seen elsewhere. */
function doing({ parts }: Answer): string | undefined {
  const last = parts.at(-1);
  if (parts.some((part) => part.type === "tool" && isWaiting(part.call))) return ASKS;
  if (last?.type === "tool") return parts.some((part) => part.type === "tool" && isUnderWay(part.call)) ? undefined : "Thinking…";
  return last === undefined ? "Thinking…" : undefined;
}

const ASKS = "Waits for you.";

/** A mark that the answer is under way, and what it waits for: the connection, or what the proxy says. */
export function WaitingNote(props: { answer: Answer; connected: boolean }) {
  const hasCalls = () => props.answer.parts.some((part) => part.type === "tool" && isUnderWay(part.call));
  const seconds = createCountdown(() => props.answer.waiting?.until);
  const note = () => {
    switch (props.answer.waiting?.state) {
      case "queued":
        return "Waiting for a free place…";
      case "retrying":
        return seconds() > 0 ? `Bedrock is busy. Asking again in ${seconds()} s…` : "Bedrock is busy. Asking again…";
      case "stalled":
        // Bedrock is not asked while a tool works or a person decides.
        return hasCalls() ? undefined : "Bedrock is silent. Still waiting…";
      case "settling":
      case undefined:
        return undefined;
    }
  };
  const words = () => note() ?? doing(props.answer);
  const isCutOff = () => !props.connected && props.answer.phase === "sent";
  return (
    <Show when={!isCutOff()} fallback={<p class="oc-note">{props.answer.messageId === undefined ? UNSENT : UNHEARD}</p>}>
      <p class="oc-waiting">
        <Show when={words() !== undefined && words() !== ASKS}>
          <span class="oc-dots" aria-hidden="true"><span /><span /><span /></span>
        </Show>
        <Show when={words()}>{(text) => <span class="oc-muted">{text()}</span>}</Show>
      </p>
    </Show>
  );
}
