import { createSignal, createUniqueId, Show } from "solid-js";
import type { Conversations } from "../../chat/conversations.ts";
import { characters } from "../../format/numbers.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";

/** How much of what may be written is told when it is all that is left. */
const LAST_PART = 1 / 10;

/** The person's own instructions, where the proxy takes any. What is too long for it is not kept. */
export function Instructions(props: { conversations: Conversations }) {
  const texts = useTexts();
  const formats = useFormats();
  const id = createUniqueId();
  const hintId = createUniqueId();
  const [draft, setDraft] = createSignal(props.conversations.settings.systemPrompt());
  const most = () => props.conversations.server()?.limits.maxSystemPromptChars ?? 0;
  const left = () => most() - characters(draft().trim());

  function write(text: string): void {
    setDraft(text);
    if (left() >= 0) props.conversations.settings.setSystemPrompt(text);
  }

  const note = () => {
    if (left() < 0) return <span class="oc-error-text" role="status">{texts().settings.tooLong(formats().wholeOf(-left()), formats().wholeOf(most()))}</span>;
    return left() <= most() * LAST_PART ? texts().settings.left(formats().wholeOf(left())) : texts().settings.instructionsHint;
  };
  return (
    <Show when={most() > 0}>
      <div class="oc-settings-part">
        <label class="oc-settings-name" for={id}>{texts().settings.instructions}</label>
        <textarea
          id={id}
          // Without a text of its own it is written as the page is.
          dir={draft() === "" ? undefined : "auto"}
          rows="3"
          value={draft()}
          placeholder={texts().settings.instructionsExample}
          aria-describedby={hintId}
          aria-invalid={left() < 0}
          onInput={(event) => write(event.currentTarget.value)}
        />
        <p class="oc-settings-hint" id={hintId}>{note()}</p>
      </div>
    </Show>
  );
}
