import type { ToolUse } from "@outcrop/client";
import { prettyJson, visible } from "../../format/tools.ts";
import { useTexts } from "../../texts/TextsProvider.tsx";

/** What a tool is called with, as far as that is known. */
export function Arguments(props: { call: ToolUse }) {
  const texts = useTexts();
  const text = () => {
    const { status, input, partialInput } = props.call;
    return status === "preparing" && partialInput !== undefined ? visible(partialInput) : prettyJson(input);
  };
  return (
    <div class="oc-tool-part">
      <p class="oc-tool-label">{texts().tools.arguments}</p>
      <pre tabindex="0" aria-label={texts().tools.arguments} dir="ltr">{text()}</pre>
    </div>
  );
}
