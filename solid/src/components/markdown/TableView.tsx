import type { Tokens } from "marked";
import { Index, type JSX } from "solid-js";
import { Dynamic } from "solid-js/web";
import { useTexts } from "../../texts/TextsProvider.tsx";
import { InlineView } from "./InlineView.tsx";

/** A table that scrolls sideways by itself where the page is too narrow for it; the keyboard can scroll it too. */
export function TableView(props: { token: Tokens.Table; depth: number }): JSX.Element {
  const texts = useTexts();
  return (
    <div class="oc-markdown-table" role="group" aria-label={texts().markdown.table} tabindex="0">
      <table>
        <thead>
          <tr>
            <Index each={props.token.header}>
              {(cell) => (
                // The head of a column that has none is no heading.
                <Dynamic component={cell().text === "" ? "td" : "th"} scope={cell().text === "" ? undefined : "col"} dir="auto" data-align={cell().align ?? undefined}>
                  <InlineView tokens={cell().tokens} depth={props.depth} />
                </Dynamic>
              )}
            </Index>
          </tr>
        </thead>
        <tbody>
          <Index each={props.token.rows}>
            {(row) => (
              <tr>
                <Index each={row()}>{(cell) => <td dir="auto" data-align={cell().align ?? undefined}><InlineView tokens={cell().tokens} depth={props.depth} /></td>}</Index>
              </tr>
            )}
          </Index>
        </tbody>
      </table>
    </div>
  );
}
