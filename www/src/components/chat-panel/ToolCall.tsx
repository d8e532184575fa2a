import type { ToolStatus, ToolUse } from "@outcrop/client";
import { Show } from "solid-js";
import { formatDuration } from "../../format/numbers.ts";

const STATUS: Record<ToolStatus, string> = {
  pending_approval: "waits for approval",
  running: "running",
  succeeded: "done",
  failed: "failed",
  denied: "denied",
  unknown_outcome: "outcome unknown",
};

/** A tool that the model called, with what it was given and what it returned. */
export function ToolCall(props: { tool: ToolUse }) {
  return (
    <details class="oc-tool" data-status={props.tool.status}>
      <summary>
        <code>{props.tool.name}</code> <span class="oc-muted">{STATUS[props.tool.status]}</span>
        <Show when={props.tool.durationMs}>{(ms) => <span class="oc-muted">{formatDuration(ms())}</span>}</Show>
      </summary>
      <pre tabindex="0" aria-label="Input">{asText(props.tool.input)}</pre>
      <Show when={props.tool.result !== undefined}><pre tabindex="0" aria-label="Result">{asText(props.tool.result)}</pre></Show>
    </details>
  );
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
}
