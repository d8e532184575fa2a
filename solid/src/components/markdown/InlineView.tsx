import type { Token, Tokens } from "marked";
import { createMemo, Index, Show, type JSX } from "solid-js";
import { useTexts } from "../../texts/TextsProvider.tsx";
import { MAX_DEPTH } from "./BlockView.tsx";
import { decodeReferences } from "./entities.ts";
import { Formula } from "./Formula.tsx";
import type { FormulaToken } from "./formulas.ts";
import { safeHref } from "./links.ts";
import { PlainText } from "./PlainText.tsx";

/** Text with emphasis, code and links. */
export function InlineView(props: { tokens: readonly Token[]; depth: number; inLink?: boolean | undefined }): JSX.Element {
  return <Index each={props.tokens}>{(token) => <Inline token={token()} depth={props.depth + 1} inLink={props.inLink} />}</Index>;
}

interface InlineProps {
  token: Token;
  depth: number;
  /** A link holds no other link. */
  inLink?: boolean | undefined;
}

function Inline(props: InlineProps): JSX.Element {
  const type = createMemo(() => (props.depth > MAX_DEPTH ? "raw" : props.token.type));
  const view = createMemo(() => inlineOf(type(), props));
  return <>{view()}</>;
}

function inlineOf(type: string, props: InlineProps): JSX.Element {
  const inner = (inLink = props.inLink) => (
    <InlineView tokens={(props.token as { tokens?: Token[] }).tokens ?? []} depth={props.depth} inLink={inLink} />
  );
  switch (type) {
    case "text":
      return (
        <Show when={(props.token as Tokens.Text).tokens} fallback={<PlainText text={decodeReferences((props.token as Tokens.Text).text)} />}>
          {inner()}
        </Show>
      );
    case "strong":
      return <strong>{inner()}</strong>;
    case "em":
      return <em>{inner()}</em>;
    case "del":
      return <del>{inner()}</del>;
    case "codespan":
      return <code dir="ltr">{(props.token as Tokens.Codespan).text}</code>;
    case "formula":
      return <Formula token={props.token as FormulaToken} />;
    case "br":
      return <br />;
    case "escape":
      return <PlainText text={(props.token as Tokens.Escape).text} />;
    case "link":
      return <LinkView token={props.token as Tokens.Link}>{inner(true)}</LinkView>;
    case "image":
      return <ImageLink token={props.token as Tokens.Image} inLink={props.inLink} />;
    case "html":
      return <Show when={LINE_BREAK.test(props.token.raw)} fallback={<PlainText text={props.token.raw} />}><br /></Show>;
    default:
      return <PlainText text={props.token.raw} />;
  }
}

/** The one tag that is not shown as it was written: a table has no other way to break a line. */
const LINE_BREAK = /^<br\s*\/?>$/i;

function LinkView(props: { token: Tokens.Link; children: JSX.Element }): JSX.Element {
  const href = () => safeHref(props.token.autolink ? props.token.href : decodeReferences(props.token.href));
  return (
    <Show when={href()} fallback={props.token.raw}>
      {(target) => <a href={target()} target="_blank" rel="noopener noreferrer" title={props.token.title || undefined}>{props.children}</a>}
    </Show>
  );
}

/** An image is never loaded: its address would tell others what is being read. A link with its text stands for it. */
function ImageLink(props: { token: Tokens.Image; inLink?: boolean | undefined }): JSX.Element {
  const texts = useTexts();
  const href = () => (props.inLink ? undefined : safeHref(decodeReferences(props.token.href)));
  const text = () => decodeReferences(props.token.text) || texts().markdown.image;
  return (
    <Show when={href()} fallback={props.inLink ? text() : props.token.raw}>
      {(target) => <a class="oc-markdown-image" href={target()} target="_blank" rel="noopener noreferrer">{text()}</a>}
    </Show>
  );
}
