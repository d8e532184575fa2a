import type { ToolApproval, ToolInfo } from "@outcrop/client";
import { For, Show } from "solid-js";
import { formatPlural } from "../../format/numbers.ts";
import { byServer, toolTitle, visible } from "../../format/tools.ts";
import { ChevronIcon, ToolIcon } from "../common/icons.tsx";

const APPROVALS: Record<ToolApproval, string | undefined> = { always: "asks each time", session: "asks once in a conversation", never: undefined };

/** Which tools Claude may call for this person, by server: a line that opens. */
export function ToolList(props: { tools: readonly ToolInfo[] }) {
  return (
    <Show when={props.tools.length > 0}>
      <details class="oc-tool-list">
        <summary class="oc-line"><ToolIcon /><span>{formatPlural(props.tools.length, "tool")}</span><ChevronIcon /></summary>
        <dl>
          <For each={byServer(props.tools)}>
            {([server, tools]) => (
              <>
                <dt>{visible(server)}</dt>
                <For each={tools}>
                  {(tool) => (
                    <dd>
                      <span class="oc-tool-list-title" title={tool.name}>{visible(toolTitle(tool, tool))}</span>
                      <Show when={APPROVALS[tool.approval]}>{(words) => <span class="oc-badge">{words()}</span>}</Show>
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
