import { createMemo, Index, Match, Show, Switch, type Accessor, type JSX } from "solid-js";
import type { AnswerPart, ReasoningPart, TextPart, ToolPart } from "../../chat/parts.ts";
import type { Answer } from "../../chat/state.ts";
import { modelName } from "../../format/models.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { Markdown } from "../markdown/Markdown.tsx";
import { AnswerFailure } from "./AnswerFailure.tsx";
import { AnswerMeta } from "./AnswerMeta.tsx";
import { ReasoningView } from "./ReasoningView.tsx";
import { ToolGroup } from "./ToolGroup.tsx";
import { WaitingNote } from "./WaitingNote.tsx";

export interface AnswerViewProps {
  answer: Answer;
  connected: boolean;
  canRetry: boolean;
  /** Whether it could be asked again, had the page the files. */
  lacksFiles: boolean;
  canGoOn: boolean;
  onRetry: () => void;
  onGoOn: () => void;
}

/** What the model said: reasoning, tool calls and text in order, and how it ended. */
export function AnswerView(props: AnswerViewProps) {
  const texts = useTexts();
  const formats = useFormats();
  const answer = () => props.answer;
  const isWriting = () => answer().phase === "sent" || answer().phase === "streaming";
  const isOver = () => !isWriting() && answer().phase !== "stopping";
  const author = () => (answer().model === undefined ? texts().answer.author : modelName(answer().model ?? ""));
  const rows = createMemo(() => rowsOf(answer().parts));
  const isLive = (index: number) => isWriting() && index === rows().length - 1;
  const hasContent = () => answer().text !== "" || answer().usage !== undefined || answer().phase === "stopping";
  return (
    <article
      class="oc-message oc-answer"
      data-phase={answer().phase}
      aria-label={texts().answer.label(author(), formats().timeOfDay(answer().at))}
      aria-busy={isWriting()}
    >
      <Index each={rows()}>{(row, index) => <RowView row={row} live={isLive(index)} over={isOver()} />}</Index>
      <Show when={isWriting()}><WaitingNote answer={answer()} connected={props.connected} /></Show>
      <Switch>
        <Match when={answer().phase === "failed" && answer().failure}>
          {(failure) => (
            <AnswerFailure failure={failure()} partial={answer().text !== ""} canRetry={props.canRetry} lacksFiles={props.lacksFiles} onRetry={props.onRetry} />
          )}
        </Match>
        <Match when={answer().stopReason === "tool_limit" && !isWriting()}>
          <div class="oc-limit">
            <p>{texts().answer.toolLimit}</p>
            <Show when={props.canGoOn}><button type="button" class="oc-button" onClick={() => props.onGoOn()}>{texts().answer.goOn}</button></Show>
          </div>
        </Match>
      </Switch>
      <Show when={!isWriting() && hasContent()}><AnswerMeta answer={answer()} /></Show>
    </article>
  );
}

/** What stands in one place: a text, reasoning, or calls that follow one another. */
type Row = TextPart | ReasoningPart | readonly ToolPart[];

function rowsOf(parts: readonly AnswerPart[]): readonly Row[] {
  const rows: Row[] = [];
  for (const part of parts) {
    const last = rows.at(-1);
    if (part.type !== "tool") rows.push(part);
    else if (isCalls(last)) rows[rows.length - 1] = [...last, part];
    else rows.push([part]);
  }
  return rows;
}

/** One row. While its kind stays the same its elements do too. */
function RowView(props: { row: Accessor<Row>; live: boolean; over: boolean }): JSX.Element {
  const kind = createMemo(() => kindOf(props.row()));
  const view = createMemo(() => {
    switch (kind()) {
      case "tools":
        return <ToolGroup parts={props.row() as readonly ToolPart[]} over={props.over} />;
      case "reasoning":
        return <ReasoningView part={props.row() as ReasoningPart} live={props.live} />;
      case "text":
        return <Show when={(props.row() as TextPart).text.trim() !== ""}><Markdown text={(props.row() as TextPart).text} streaming={props.live} /></Show>;
    }
  });
  return <>{view()}</>;
}

function kindOf(row: Row): "tools" | "text" | "reasoning" {
  return isCalls(row) ? "tools" : row.type;
}

function isCalls(row: Row | undefined): row is readonly ToolPart[] {
  return Array.isArray(row);
}
