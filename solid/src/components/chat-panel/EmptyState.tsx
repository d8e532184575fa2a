import type { ToolInfo } from "@outcrop/client";
import { For, Show } from "solid-js";
import { ToolList } from "./ToolList.tsx";

/** Prompts that show what answers can look like. */
export const SUGGESTIONS: readonly string[] = [
  "Compare three ways to cache API responses in a table",
  "Write a small Rust program that counts words",
  "Explain how streaming over a WebSocket works",
];

/** What an empty conversation says. */
export function EmptyState(props: { suggestions: readonly string[]; tools: readonly ToolInfo[]; demo: boolean; onPick: (text: string) => void }) {
  const prompts = () => (props.demo ? [...props.suggestions, "/help"] : props.suggestions);
  return (
    <div class="oc-empty">
      <p class="oc-empty-title">What would you like to know?</p>
      <p class="oc-muted">Ask in your own words, or begin with one of these.</p>
      <ul class="oc-suggestions">
        <For each={prompts()}>
          {(prompt) => (
            <li>
              <button type="button" class="oc-suggestion" onClick={() => props.onPick(prompt)}>
                <Show when={prompt.startsWith("/")} fallback={prompt}>
                  <code>{prompt}</code> <span class="oc-muted">lists the commands of demo mode</span>
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
