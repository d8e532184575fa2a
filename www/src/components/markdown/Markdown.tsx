import { createMemo, Index } from "solid-js";
import { BlockView } from "./BlockView.tsx";
import { parseMore, parseWhole, withoutRaggedEnd, type Parsed } from "./parse.ts";
import "./markdown.css";

/**
 * Markdown as elements, made one by one: nothing in the text can become markup, load anything or run. While `streaming`, each
 * change costs the last block only.
 */
export function Markdown(props: { text: string; streaming?: boolean | undefined }) {
  const parsed = createMemo<Parsed | undefined>((before) =>
    props.streaming ? parseMore(withoutRaggedEnd(props.text), before) : parseWhole(props.text, before),
  );
  return (
    <div class="oc-markdown" dir="auto">
      <Index each={parsed()?.blocks}>
        {(block, index) => (
          <BlockView token={block().token} depth={0} open={props.streaming === true && index === (parsed()?.blocks.length ?? 0) - 1} />
        )}
      </Index>
    </div>
  );
}
