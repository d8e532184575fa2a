import type { ToolInfo } from "@outcrop/client";
import { For, Show } from "solid-js";
import { byServer, toolTitle, visible } from "../../format/tools.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { ChevronIcon, ToolIcon } from "../common/icons.tsx";

/** Which tools Claude may call for this person, by server: a line that opens. */
export function ToolList(props: { tools: readonly ToolInfo[] }) {
  const texts = useTexts();
  const formats = useFormats();
  const asks = ({ approval }: ToolInfo) => {
    const { asksAlways, asksOnce } = texts().tools;
    return { always: asksAlways, session: asksOnce, never: undefined }[approval];
  };
  return (
    <Show when={props.tools.length > 0}>
      <details class="oc-tool-list">
        <summary class="oc-line"><ToolIcon /><span>{texts().tools.count(formats().countOf(props.tools.length))}</span><ChevronIcon /></summary>
        <dl>
          <For each={byServer(props.tools)}>
            {([server, tools]) => (
              <>
                <dt>{visible(server)}</dt>
                <For each={tools}>
                  {(tool) => (
                    <dd>
                      <span class="oc-tool-list-title" title={tool.name}>{visible(toolTitle(tool, tool))}</span>
                      <Show when={asks(tool)}>{(words) => <span class="oc-badge">{words()}</span>}</Show>
                      <Show when={tool.description}>{(text) => <p class="oc-muted" dir="auto">{visible(text())}</p>}</Show>
                    </dd>
                  )}
                </For>
              </>
            )}
          </For>
        </dl>
      </details>
    </Show>
  );
}
