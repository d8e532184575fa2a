import { Show } from "solid-js";
import { isUnderWay, isWaiting } from "../../chat/parts.ts";
import type { Answer } from "../../chat/state.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { createCountdown } from "../common/countdown.ts";

/** What an answer does that waits for nothing outside: undefined where that is seen elsewhere. */
function doing({ parts }: Answer): "asks" | "thinks" | undefined {
  const last = parts.at(-1);
  if (parts.some((part) => part.type === "tool" && isWaiting(part.call))) return "asks";
  if (last?.type === "tool") return parts.some((part) => part.type === "tool" && isUnderWay(part.call)) ? undefined : "thinks";
  return last === undefined ? "thinks" : undefined;
}

/** A mark that the answer is under way, and what it waits for: the connection, or what the proxy says. */
export function WaitingNote(props: { answer: Answer; connected: boolean }) {
  const texts = useTexts();
  const formats = useFormats();
  const waiting = () => texts().waiting;
  const hasCalls = () => props.answer.parts.some((part) => part.type === "tool" && isUnderWay(part.call));
  const seconds = createCountdown(() => props.answer.waiting?.until);
  const note = () => {
    switch (props.answer.waiting?.state) {
      case "queued":
        return waiting().queued;
      case "retrying":
        return seconds() > 0 ? waiting().retryingIn(formats().formatWait(seconds())) : waiting().retrying;
      case "stalled":
        // Bedrock is not asked while a tool works or a person decides.
        return hasCalls() ? undefined : waiting().silent;
      case "settling":
      case undefined:
        return undefined;
    }
  };
  const does = () => (note() === undefined ? doing(props.answer) : undefined);
  const words = () => (does() === "asks" ? waiting().forPerson : does() === "thinks" ? texts().answer.thinking : note());
  const isCutOff = () => !props.connected && props.answer.phase === "sent";
  return (
    <Show when={!isCutOff()} fallback={<p class="oc-note">{props.answer.messageId === undefined ? waiting().unsent : waiting().unheard}</p>}>
      <p class="oc-waiting">
        <Show when={words() !== undefined && does() !== "asks"}>
          <span class="oc-dots" aria-hidden="true"><span /><span /><span /></span>
        </Show>
        <Show when={words()}>{(text) => <span class="oc-muted">{text()}</span>}</Show>
      </p>
    </Show>
  );
}
