import type { ToolInfo } from "@outcrop/client";
import { createUniqueId, onCleanup, onMount, Show } from "solid-js";
import type { ToolPart } from "../../chat/parts.ts";
import { toolTitle, visible } from "../../format/tools.ts";
import { useTexts } from "../../texts/TextsProvider.tsx";
import { Arguments } from "./Arguments.tsx";
import { usePanel } from "./panel.ts";

/** Asks whether a tool may run, with all that it would be given. */
export function Approval(props: { part: ToolPart; info: ToolInfo | undefined }) {
  const panel = usePanel();
  const texts = useTexts();
  const words = () => texts().approval;
  const titleId = createUniqueId();
  let card!: HTMLDivElement;
  const call = () => props.part.call;
  const decision = () => props.part.decision;
  const isBusy = () => decision() !== undefined && decision()?.failure === undefined;
  const allow = () => (props.info?.approval === "session" ? words().allowInConversation : words().allow);

  const question = () => {
    const { server } = call();
    const tool = <strong>{visible(toolTitle(call(), props.info))}</strong>;
    return server === undefined ? words().ask(tool) : words().askOf(tool, <strong>{visible(server)}</strong>);
  };

  function decide(approved: boolean): void {
    if (!isBusy()) panel.decide(call().toolUseId, approved);
  }

  onMount(() => {
    if (!panel.isComposing() && isFree(card)) card.focus({ preventScroll: true });
  });
  onCleanup(() => {
    if (!card.contains(document.activeElement)) return;
    const next = [...(card.closest(".oc-panel")?.querySelectorAll<HTMLElement>(".oc-approval") ?? [])].find((other) => other !== card);
    if (next === undefined) panel.focusComposer();
    else next.focus({ preventScroll: true });
  });

  return (
    <div class="oc-approval" role="group" aria-labelledby={titleId} aria-busy={isBusy()} tabindex="-1" ref={card}>
      <p class="oc-approval-title" id={titleId}>
        {question()}
      </p>
      <Show when={props.info?.description}>{(text) => <p class="oc-approval-text" dir="auto" tabindex="0">{visible(text())}</p>}</Show>
      <Arguments call={call()} />
      <Show when={decision()?.failure}>
        {(failure) => <p class="oc-error-text" role="alert">{words().notArrived(failure().message)}</p>}
      </Show>
      <div class="oc-approval-buttons">
        <button type="button" class="oc-button oc-button-primary" aria-disabled={isBusy()} onClick={() => decide(true)}>
          {isBusy() && decision()?.approved ? words().allowing : allow()}
        </button>
        <button type="button" class="oc-button" aria-disabled={isBusy()} onClick={() => decide(false)}>
          {isBusy() && decision()?.approved === false ? words().denying : words().deny}
        </button>
      </div>
    </div>
  );
}

/** Whether the focus is in this panel, and on nothing that a person is busy with: where one writes, with nothing written, or the messages. */
function isFree(card: HTMLElement): boolean {
  const active = document.activeElement;
  return active !== null && card.closest(".oc-panel")?.contains(active) === true && active.matches(".oc-composer textarea, .oc-messages");
}
