import type { ToolInfo } from "@outcrop/client";
import { For, Show } from "solid-js";
import { useTexts } from "../../texts/TextsProvider.tsx";
import { ToolList } from "./ToolList.tsx";

/** What an empty conversation says. */
export function EmptyState(props: { suggestions: readonly string[]; tools: readonly ToolInfo[]; demo: boolean; onPick: (text: string) => void }) {
  const texts = useTexts();
  const prompts = () => (props.demo ? [...props.suggestions, "/help"] : props.suggestions);
  return (
    <div class="oc-empty">
      <p class="oc-empty-title">{texts().empty.title}</p>
      <p class="oc-muted">{texts().empty.text}</p>
      <ul class="oc-suggestions">
        <For each={prompts()}>
          {(prompt) => (
            <li>
              <button type="button" class="oc-suggestion" onClick={() => props.onPick(prompt)}>
                <Show when={prompt.startsWith("/")} fallback={prompt}>
                  <code>{prompt}</code> <span class="oc-muted">{texts().empty.demoHelp}</span>
                </Show>
              </button>
            </li>
          )}
        </For>
      </ul>
      <ToolList tools={props.tools} />
    </div>
  );
}
