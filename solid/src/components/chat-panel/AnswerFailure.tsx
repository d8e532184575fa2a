import { Show, type JSX } from "solid-js";
import type { Failure } from "../../chat/failure.ts";
import { pageClock } from "../../chat/ids.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { createCountdown } from "../common/countdown.ts";
import { RetryIcon, WarningIcon } from "../common/icons.tsx";

/** Why an answer failed, and a way to ask again where that can help. */
export function AnswerFailure(props: { failure: Failure; partial: boolean; canRetry: boolean; onRetry: () => void; children?: JSX.Element }) {
  const texts = useTexts();
  const formats = useFormats();
  const seconds = createCountdown(() => props.failure.retryAt);
  // A message that was refused for being one too many is not in the conversation yet.
  const isUnsent = () => props.failure.code === "rate_limited";
  const action = () => {
    const { retry, retryIn, sendAgain, sendAgainIn } = texts().failure;
    if (seconds() === 0) return isUnsent() ? sendAgain : retry;
    return (isUnsent() ? sendAgainIn : retryIn)(formats().formatWait(seconds()));
  };
  const message = () => (props.failure.fault === undefined ? props.failure.message : texts().faults[props.failure.fault]);
  return (
    <div class="oc-failure" role="alert">
      <WarningIcon />
      <div>
        <p class="oc-failure-headline">{texts().errors[props.failure.code]}</p>
        <p dir="auto">{message()}</p>
        <Show when={props.failure.code === "budget_exceeded"}>
          <p>
            <Show when={seconds() > 0 && props.failure.retryAt}>{(at) => <strong>{texts().failure.budgetRenews(formats().whenWords(at(), pageClock()))} </strong>}</Show>
            {texts().failure.budgetAdvice}
          </p>
        </Show>
        <Show when={props.partial}><p class="oc-muted">{texts().failure.partial}</p></Show>
        <Show when={props.canRetry}>
          <button type="button" class="oc-button" aria-disabled={seconds() > 0} onClick={() => seconds() === 0 && props.onRetry()}>
            <RetryIcon /> <span aria-live="off">{action()}</span>
          </button>
        </Show>
        {props.children}
      </div>
    </div>
  );
}
