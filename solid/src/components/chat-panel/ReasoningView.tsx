import { createSignal, Show } from "solid-js";
import type { ReasoningPart } from "../../chat/parts.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { ChevronIcon, ThoughtIcon } from "../common/icons.tsx";

/** What the model thought, shown while it does and folded away when it goes on, unless the person has said otherwise. */
export function ReasoningView(props: { part: ReasoningPart; live: boolean }) {
  const texts = useTexts();
  const formats = useFormats();
  const [chosen, setChosen] = createSignal<boolean>();
  const isOpen = () => chosen() ?? props.live;
  const title = () => {
    const { startedAt, endedAt } = props.part;
    if (props.live) return texts().answer.thinking;
    return startedAt === undefined || endedAt === undefined ? texts().answer.reasoning : texts().answer.thoughtFor(formats().formatDuration(endedAt - startedAt));
  };

  function toggle(event: MouseEvent): void {
    event.preventDefault();
    setChosen(!isOpen());
  }

  return (
    <details class="oc-reasoning" open={isOpen()} data-live={props.live ? "" : undefined}>
      <summary class="oc-line" onClick={toggle}><ThoughtIcon /><span>{title()}</span><ChevronIcon /></summary>
      <Show when={isOpen()}>
        <div class="oc-reasoning-text" tabindex="0" role="group" aria-label={texts().answer.reasoning}><p dir="auto">{props.part.text.trim()}</p></div>
      </Show>
    </details>
  );
}
