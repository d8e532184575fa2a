import { Show } from "solid-js";
import { headline, type Failure } from "../../chat/failure.ts";
import { pageClock } from "../../chat/ids.ts";
import { formatWait } from "../../format/numbers.ts";
import { whenWords } from "../../format/time.ts";
import { createCountdown } from "../common/countdown.ts";
import { RetryIcon, WarningIcon } from "../common/icons.tsx";

/** Why an answer failed, and a way to ask again where that can help. */
export function AnswerFailure(props: { failure: Failure; partial: boolean; canRetry: boolean; lacksFiles: boolean; onRetry: () => void }) {
  const seconds = createCountdown(() => props.failure.retryAt);
  // A message that was refused for being one too many is not in the conversation yet.
  const action = () => (props.failure.code === "rate_limited" ? "Send again" : "Retry");
  const wait = () => (seconds() > 0 ? `${action()} in ${formatWait(seconds())}` : action());
  return (
    <div class="oc-failure" role="alert">
      <WarningIcon />
      <div>
        <p class="oc-failure-headline">{headline(props.failure.code)}</p>
        <p dir="auto">{props.failure.message}</p>
        <Show when={props.failure.code === "budget_exceeded"}>
          <p>
            <Show when={seconds() > 0 && props.failure.retryAt}>{(at) => <strong>It renews {whenWords(at(), pageClock())}. </strong>}</Show>
            What is left may do for a new conversation, which sends less, or for a cheaper model; whoever runs the proxy can raise the budget.
          </p>
        </Show>
        <Show when={props.partial}><p class="oc-muted">The text above is what had come until then.</p></Show>
        <Show when={props.lacksFiles}><p>To ask again, attach the files once more: this page does not have them.</p></Show>
        <Show when={props.canRetry}>
          <button type="button" class="oc-button" aria-disabled={seconds() > 0} onClick={() => seconds() === 0 && props.onRetry()}>
            <RetryIcon /> <span aria-live="off">{wait()}</span>
          </button>
        </Show>
      </div>
    </div>
  );
}
