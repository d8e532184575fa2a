import { createMemo, Index } from "solid-js";
import { BlockView } from "./BlockView.tsx";
import { firstDepth, FirstDepth } from "./headings.ts";
import { parseMore, parseWhole, withoutRaggedEnd, type Parsed } from "./parse.ts";

/**
 * Markdown as elements, made one by one: nothing in the text can become markup, load anything or run. While `streaming`, each
 * change costs the last block only.
 */
export function Markdown(props: { text: string; streaming?: boolean | undefined }) {
  const parsed = createMemo<Parsed | undefined>((before) =>
    props.streaming ? parseMore(withoutRaggedEnd(props.text), before) : parseWhole(props.text, before),
  );
  const blocks = () => parsed()?.blocks ?? [];
  const first = createMemo(() => firstDepth(blocks()));
  return (
    <div class="oc-markdown" dir="auto">
      <FirstDepth.Provider value={first}>
        <Index each={blocks()}>
          {(block, index) => <BlockView token={block().token} depth={0} open={props.streaming === true && index === blocks().length - 1} />}
        </Index>
      </FirstDepth.Provider>
    </div>
  );
}
