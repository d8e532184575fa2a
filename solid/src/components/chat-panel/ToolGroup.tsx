import { Index } from "solid-js";
import type { ToolPart } from "../../chat/parts.ts";
import { formatPlural } from "../../format/numbers.ts";
import { ToolCall } from "./ToolCall.tsx";

/** Tools that the model called one beside the other. */
export function ToolGroup(props: { parts: readonly ToolPart[]; over: boolean }) {
  return (
    <div class="oc-tools" role="group" aria-label={formatPlural(props.parts.length, "tool call")}>
      <Index each={props.parts}>{(part) => <ToolCall part={part()} over={props.over} />}</Index>
    </div>
  );
}
