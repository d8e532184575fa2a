import { Key } from "@solid-primitives/keyed";
import { createEffect, createMemo, on, onCleanup, onMount, Show, type JSX } from "solid-js";
import { regenerable, retryable, type Answer, type ChatState, type Question } from "../../chat/state.ts";
import { useTexts } from "../../texts/TextsProvider.tsx";
import { DownIcon } from "../common/icons.tsx";
import { copyWithSources } from "../markdown/copy.ts";
import { AnswerView } from "./AnswerView.tsx";
import { makeFollower } from "./follower.ts";
import { RefusalView } from "./RefusalView.tsx";
import { QuestionView } from "./QuestionView.tsx";

/** The messages, the oldest first, scrolled to the end for as long as the reader stays there. */
export function MessageList(props: { state: ChatState; editing: string | undefined; connected: boolean; onRetry: () => void; onGoOn: () => void; children?: JSX.Element }) {
  const texts = useTexts();
  let scroller!: HTMLDivElement;
  let content!: HTMLDivElement;
  const follower = makeFollower(() => scroller);

  onMount(() => {
    const observer = new ResizeObserver(() => follower.contentChanged());
    observer.observe(content);
    observer.observe(scroller);
    onCleanup(() => observer.disconnect());
    // What scrolls by itself takes the wheel first.
    const isForList = ({ target }: WheelEvent) => !(target instanceof Element) || (target.closest("pre")?.scrollTop ?? 0) === 0;
    scroller.addEventListener("wheel", (event) => event.deltaY < 0 && isForList(event) && follower.turnedUp(), { passive: true });
  });
  // A message that was just sent is shown, wherever the reader was.
  const turn = createMemo(() => props.state.turn);
  createEffect(on(turn, (key) => key !== undefined && follower.jump(), { defer: true }));

  function onClick(event: MouseEvent): void {
    if (event.target instanceof Element && event.target.closest("summary, [aria-expanded]") !== null) follower.hold();
  }

  /** From where on messages give way to the one that is being changed. */
  const firstReplaced = createMemo(() => (props.editing === undefined ? -1 : props.state.messages.findIndex(({ key }) => key === props.editing)));
  const regenerateKey = createMemo(() => regenerable(props.state));
  const retryKey = createMemo(() => retryable(props.state)?.answer.key);
  const isLast = (key: string) => props.state.turn === undefined && props.state.messages.at(-1)?.key === key;
  return (
    <div class="oc-messages-frame">
      <div class="oc-messages" ref={scroller} onScroll={() => follower.scrolled()} tabindex="0" role="region" aria-label={texts().panel.messages}>
        <div class="oc-messages-content" ref={content} onClick={onClick} onCopy={copyWithSources}>
          {props.children}
          <ol class="oc-message-list">
            <Key each={props.state.messages} by="key">
              {(message, index) => (
                <li data-giving-way={firstReplaced() >= 0 && index() > firstReplaced() ? "" : undefined}>
                  <Show when={message().role === "user"} fallback={
                    <AnswerView
                      answer={message() as Answer}
                      connected={props.connected}
                      canRetry={retryKey() === message().key}
                      canRegenerate={regenerateKey() === message().key}
                      canGoOn={isLast(message().key)}
                      onRetry={props.onRetry}
                      onGoOn={props.onGoOn}
                    />
                  }>
                    <QuestionView question={message() as Question} edited={props.editing === message().key} />
                  </Show>
                </li>
              )}
            </Key>
          </ol>
          <Show when={props.state.refused}>{(refused) => <RefusalView refusal={refused()} />}</Show>
        </div>
      </div>
      <Show when={follower.away()}>
        <button type="button" class="oc-button oc-jump" onClick={() => follower.jump()}>
          <DownIcon /> {texts().panel.jump}
        </button>
      </Show>
    </div>
  );
}
