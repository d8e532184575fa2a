import type { ToolStatus, ToolUse } from "@outcrop/client";
import { createMemo, createSignal, For, Match, Show, Switch, type JSX } from "solid-js";
import type { ToolPart } from "../../chat/parts.ts";
import { argumentHint, beginning, prettyResult, toolState, toolTitle, visible } from "../../format/tools.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { CheckIcon, ChevronIcon, DeniedIcon, HandIcon, QuestionIcon, SpinnerIcon, ToolIcon, WarningIcon } from "../common/icons.tsx";
import { Approval } from "./Approval.tsx";
import { Arguments } from "./Arguments.tsx";
import { FileChip } from "./FileChip.tsx";
import { usePanel } from "./panel.ts";

/** How much of a result is shown before a person asks for all. */
const FOLDED_LINES = 12;
const FOLDED_CHARS = 1_500;

const ICONS: Record<ToolStatus, () => JSX.Element> = {
  preparing: () => <ToolIcon />,
  pending_approval: () => <HandIcon />,
  running: () => <SpinnerIcon />,
  succeeded: () => <CheckIcon />,
  failed: () => <WarningIcon />,
  denied: () => <DeniedIcon />,
  unknown_outcome: () => <QuestionIcon />,
};

/** A tool that the model called: a line that opens, and asks where a person has to decide. */
export function ToolCall(props: { part: ToolPart; over: boolean }) {
  const panel = usePanel();
  const texts = useTexts();
  const formats = useFormats();
  const [chosen, setChosen] = createSignal<boolean>();
  const call = () => props.part.call;
  const info = () => panel.toolInfo(call());
  const state = createMemo(() => toolState(call(), props.over), undefined, { equals: (a, b) => a.status === b.status && a.name === b.name });
  const status = createMemo(() => state().status);
  const asks = () => status() === "pending_approval";
  const isOpen = () => asks() || (chosen() ?? false);
  const server = () => call().server ?? info()?.server;

  function toggle(event: MouseEvent): void {
    event.preventDefault();
    setChosen(!isOpen());
  }

  return (
    <details class="oc-tool" data-status={status()} open={isOpen()}>
      <summary class="oc-line" onClick={toggle}>
        {ICONS[status()]()}
        <span class="oc-tool-title" title={call().name}>{visible(toolTitle(call(), info()))}</span>
        <Show when={server()}>{(name) => <span class="oc-tool-server">{visible(name())}</span>}</Show>
        <span class="oc-tool-hint" dir="ltr">{asks() ? "" : argumentHint(call().input)}</span>
        <span class="oc-tool-state">{texts().tools.states[state().name]}</span>
        <Show when={call().durationMs !== undefined}><span class="oc-tool-time">{formats().formatDuration(call().durationMs ?? 0)}</span></Show>
        <ChevronIcon />
      </summary>
      <Show when={isOpen()}>
        <div class="oc-tool-body">
          <Show when={asks()} fallback={<><Arguments call={call()} /><Outcome call={call()} status={status()} /></>}>
            <Approval part={props.part} info={info()} />
          </Show>
        </div>
      </Show>
    </details>
  );
}

function Outcome(props: { call: ToolUse; status: ToolStatus }) {
  const texts = useTexts();
  const words = () => texts().tools;
  const label = () => (props.status === "failed" ? words().error : props.status === "denied" ? words().whyNotCalled : words().result);
  const result = () => props.call.result;
  const text = createMemo(() => prettyResult(result()?.text ?? ""));
  const [isWhole, setWhole] = createSignal(false);
  const part = () => (isWhole() ? undefined : beginning(text(), FOLDED_LINES, FOLDED_CHARS));
  return (
    <>
      <Switch>
        <Match when={props.status === "unknown_outcome"}><p class="oc-tool-note">{words().unknownOutcome}</p></Match>
        <Match when={props.status === "denied" && text().trim() === ""}><p class="oc-tool-note">{words().notCalled}</p></Match>
        <Match when={props.status === "failed" && text().trim() === ""}><p class="oc-tool-note">{words().failedSilently}</p></Match>
        <Match when={props.status === "succeeded" && text().trim() === "" && !result()?.files?.length}><p class="oc-tool-note">{words().returnedNothing}</p></Match>
      </Switch>
      <Show when={text().trim() !== ""}>
        <div class="oc-tool-part">
          <p class="oc-tool-label">{label()}</p>
          <pre tabindex="0" aria-label={label()} dir="auto">{part() ?? text()}{part() === undefined ? "" : "\n…"}</pre>
          <Show when={beginning(text(), FOLDED_LINES, FOLDED_CHARS) !== undefined}>
            <button type="button" class="oc-link" aria-expanded={isWhole()} onClick={() => setWhole(!isWhole())}>{isWhole() ? words().showLess : words().showAll}</button>
          </Show>
        </div>
      </Show>
      <Show when={result()?.truncated}><p class="oc-tool-note">{words().truncated}</p></Show>
      <Show when={result()?.files?.length}>
        <ul class="oc-files" aria-label={words().files}><For each={result()?.files}>{(file) => <li><FileChip file={file} /></li>}</For></ul>
      </Show>
      <Show when={props.call.approved}><p class="oc-tool-note">{words().approved}</p></Show>
    </>
  );
}
