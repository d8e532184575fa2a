import { Show } from "solid-js";

/** Marks where the next token will appear. */
export function Caret(props: { shown: boolean }) {
  return <Show when={props.shown}><span class="oc-caret" aria-hidden="true" /></Show>;
}
