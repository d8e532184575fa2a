import { Show } from "solid-js";
import type { Connection } from "../../chat/connection.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { createCountdown } from "../common/countdown.ts";

/** Where the connection stands: a dot and a word. Changes are announced, the countdown is not. */
export function ConnectionState(props: { connection: Connection }) {
  const texts = useTexts();
  const formats = useFormats();
  const seconds = createCountdown(() => props.connection.retryAt);
  const label = () => texts().connection.states[props.connection.state];
  return (
    <span class="oc oc-connection" data-state={props.connection.state} title={props.connection.reason ?? undefined}>
      <span class="oc-connection-dot" aria-hidden="true" />
      <span role="status">{label()}</span>
      <Show when={props.connection.state === "reconnecting" && seconds() > 0}><span class="oc-connection-wait">{texts().connection.retryIn(formats().formatWait(seconds()))}</span></Show>
    </span>
  );
}
