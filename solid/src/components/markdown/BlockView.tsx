import type { Token, Tokens } from "marked";
import { createMemo, createSelector, Index, Show, useContext, type JSX } from "solid-js";
import { Dynamic } from "solid-js/web";
import { useTexts } from "../../texts/TextsProvider.tsx";
import { Caret } from "./Caret.tsx";
import { CodeBlock } from "./CodeBlock.tsx";
import { FormulaBlock } from "./Formula.tsx";
import type { FormulaToken } from "./formulas.ts";
import { FirstDepth, headingTag } from "./headings.ts";
import { InlineView } from "./InlineView.tsx";
import { PlainText } from "./PlainText.tsx";
import { TableView } from "./TableView.tsx";

/** Deeper nesting than this is shown as it was written. */
export const MAX_DEPTH = 16;

interface BlockProps {
  token: Token;
  depth: number;
  /** Whether more of this block may come. */
  open: boolean;
}

/** One block. While its type stays the same its elements do too: only what changed in it is written to the page. */
export function BlockView(props: BlockProps): JSX.Element {
  const type = createMemo(() => (props.depth > MAX_DEPTH ? "raw" : props.token.type));
  const view = createMemo(() => blockOf(type(), props));
  return <>{view()}</>;
}

function blockOf(type: string, props: BlockProps): JSX.Element {
  const inline = () => (props.token as { tokens?: Token[] }).tokens ?? [];
  switch (type) {
    case "paragraph":
      return <p dir="auto"><InlineView tokens={inline()} depth={props.depth} /><Caret shown={props.open} /></p>;
    case "text":
      return (
        <>
          <Show when={inline().length > 0} fallback={<PlainText text={(props.token as Tokens.Text).text} />}><InlineView tokens={inline()} depth={props.depth} /></Show>
          <Caret shown={props.open} />
        </>
      );
    case "heading":
      return <HeadingView token={props.token as Tokens.Heading} depth={props.depth} open={props.open} />;
    case "code":
      return <CodeBlock code={(props.token as Tokens.Code).text} language={languageOf(props.token as Tokens.Code)} open={props.open} />;
    case "list":
      return <ListView token={props.token as Tokens.List} depth={props.depth} open={props.open} />;
    case "blockquote":
      return <blockquote dir="auto"><BlocksView tokens={inline()} depth={props.depth + 1} open={props.open} /></blockquote>;
    case "table":
      return <TableView token={props.token as Tokens.Table} depth={props.depth} />;
    case "formula":
      return <FormulaBlock token={props.token as FormulaToken} open={props.open} />;
    case "hr":
      return <hr />;
    case "def":
    case "space":
    case "checkbox":
      return null;
    default:
      return <p dir="auto" class="oc-markdown-raw">{props.token.raw}</p>;
  }
}

/** Blocks inside a block. */
function BlocksView(props: { tokens: readonly Token[]; depth: number; open: boolean }): JSX.Element {
  const isOpen = createSelector(() => (props.open ? props.tokens.length - 1 : undefined));
  return <Index each={props.tokens}>{(token, index) => <BlockView token={token()} depth={props.depth} open={isOpen(index)} />}</Index>;
}

function HeadingView(props: { token: Tokens.Heading; depth: number; open: boolean }): JSX.Element {
  const first = useContext(FirstDepth);
  return (
    <Dynamic component={headingTag(props.token.depth, first())} dir="auto">
      <InlineView tokens={props.token.tokens} depth={props.depth} />
      <Caret shown={props.open} />
    </Dynamic>
  );
}

function ListView(props: { token: Tokens.List; depth: number; open: boolean }): JSX.Element {
  const texts = useTexts();
  const isOpen = createSelector(() => (props.open ? props.token.items.length - 1 : undefined));
  const items = () => (
    <Index each={props.token.items}>
      {(item, index) => (
        <li dir="auto" classList={{ "oc-markdown-task": item().task }}>
          <Show when={item().task}>
            <input type="checkbox" checked={item().checked === true} disabled aria-label={item().checked ? texts().markdown.done : texts().markdown.toDo} />
          </Show>
          <BlocksView tokens={item().tokens} depth={props.depth + 1} open={isOpen(index)} />
        </li>
      )}
    </Index>
  );
  return <Show when={props.token.ordered} fallback={<ul>{items()}</ul>}><ol start={Number(props.token.start) || 1}>{items()}</ol></Show>;
}

function languageOf(token: Tokens.Code): string {
  return token.lang?.trim().split(/\s/, 1)[0] ?? "";
}
