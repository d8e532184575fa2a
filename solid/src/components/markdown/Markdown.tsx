import { createMemo, createSelector, Index } from "solid-js";
import { BlockView } from "./BlockView.tsx";
import { copyWithSources } from "./copy.ts";
import { firstDepth, FirstDepth } from "./headings.ts";
import { createPaced } from "./paced.ts";
import { parseMore, parseWhole, withoutRaggedEnd, type Parsed } from "./parse.ts";

/**
 * Markdown as elements, made one by one: nothing in the text can become markup, load anything or run. While `streaming`, it follows the text
 * frame by frame, and each change costs the last block only.
 */
export function Markdown(props: { text: string; streaming?: boolean | undefined }) {
  const growing = createPaced(() => ({ text: props.text, streaming: props.streaming === true }));
  const parsed = createMemo<Parsed | undefined>((before) => {
    const { text, streaming } = growing();
    return streaming ? parseMore(withoutRaggedEnd(text), before) : parseWhole(text, before);
  });
  const blocks = () => parsed()?.blocks ?? [];
  const first = createMemo(() => firstDepth(blocks()));
  /** Only the last block may grow. */
  const isOpen = createSelector(() => (growing().streaming ? blocks().length - 1 : undefined));
  return (
    <div class="oc-markdown" dir="auto" onCopy={copyWithSources}>
      <FirstDepth.Provider value={first}>
        <Index each={blocks()}>{(block, index) => <BlockView token={block().token} depth={0} open={isOpen(index)} />}</Index>
      </FirstDepth.Provider>
    </div>
  );
}
