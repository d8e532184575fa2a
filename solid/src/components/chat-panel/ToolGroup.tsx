import { Index } from "solid-js";
import type { ToolPart } from "../../chat/parts.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { ToolCall } from "./ToolCall.tsx";

/** Tools that the model called one beside the other. */
export function ToolGroup(props: { parts: readonly ToolPart[]; over: boolean }) {
  const texts = useTexts();
  const formats = useFormats();
  return (
    <div class="oc-tools" role="group" aria-label={texts().tools.calls(formats().countOf(props.parts.length))}>
      <Index each={props.parts}>{(part) => <ToolCall part={part()} over={props.over} />}</Index>
    </div>
  );
}
