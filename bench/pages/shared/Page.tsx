import { createSignal, Index, Show, type JSX } from "solid-js";
import "./page.css";

export interface Line {
  role: "user" | "assistant";
  text: string;
  /** Whether more of it may come. */
  open: boolean;
}

/** What a page has of its chat client. */
export interface Chat {
  lines: () => readonly Line[];
  /** Whether a question would go out at once, over a connection that is open where the client holds one. */
  ready: () => boolean;
  send: (text: string) => void;
}

/** The same small chat page for every client: messages and a composer. `Answer` shows the text of an answer. */
export function Page(props: { chat: Chat; Answer: (props: { text: string; open: boolean }) => JSX.Element }) {
  const [draft, setDraft] = createSignal("");
  const busy = () => props.chat.lines().some((line) => line.open);

  function submit(event: Event): void {
    event.preventDefault();
    if (draft().trim() === "" || busy()) return;
    props.chat.send(draft());
    setDraft("");
  }

  return (
    <main data-ready={props.chat.ready()} data-busy={busy()}>
      <div class="scroller">
        <ol>
          <Index each={props.chat.lines()}>
            {(line) => (
              <li class={line().role}>
                <Show when={line().role === "assistant"} fallback={<p>{line().text}</p>}>
                  <props.Answer text={line().text} open={line().open} />
                </Show>
              </li>
            )}
          </Index>
        </ol>
      </div>
      <form onSubmit={submit}>
        <textarea aria-label="Message" rows="2" value={draft()} onInput={(event) => setDraft(event.currentTarget.value)} />
        <button type="submit">Send</button>
      </form>
    </main>
  );
}
