import { createUniqueId } from "solid-js";
import type { Settings } from "../../chat/settings.ts";
import { useTexts } from "../../texts/TextsProvider.tsx";

/** Whether answers are shown as they are made, or once they are whole. */
export function StreamingChoice(props: { settings: Settings }) {
  const texts = useTexts();
  const hintId = createUniqueId();
  return (
    <div class="oc-settings-part">
      <label class="oc-settings-check">
        <input
          type="checkbox"
          checked={props.settings.streaming()}
          aria-describedby={hintId}
          onChange={(event) => props.settings.setStreaming(event.currentTarget.checked)}
        />
        <span class="oc-settings-name">{texts().settings.streaming}</span>
      </label>
      <p class="oc-settings-hint" id={hintId}>{texts().settings.streamingHint}</p>
    </div>
  );
}
