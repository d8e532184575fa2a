import { createUniqueId, For, Show } from "solid-js";
import { useTexts } from "../../texts/TextsProvider.tsx";
import { RetryIcon } from "../common/icons.tsx";
import { RANGES } from "./range.ts";
import { groupsOf, type Choice, type Scope } from "./report.ts";

/** What is shown: whose, where one may see that of others, of which time, and by what. */
export function Controls(props: { choice: Choice; scopes: readonly Scope[]; isLoading: boolean; onChoose: (choice: Choice) => void; onReload: () => void }) {
  const texts = useTexts();
  const words = () => texts().usagePage;
  return (
    <div class="oc-usage-controls">
      <Show when={props.scopes.length > 1}>
        <Segments
          legend={words().whose}
          values={props.scopes}
          name={(scope) => words().scopes[scope]}
          chosen={props.choice.scope}
          onChoose={(scope) => props.onChoose({ ...props.choice, scope, group: groupsOf(scope).includes(props.choice.group) ? props.choice.group : "model" })}
        />
      </Show>
      <Segments
        legend={words().time}
        values={RANGES}
        name={(range) => words().ranges[range]}
        chosen={props.choice.range}
        onChoose={(range) => props.onChoose({ ...props.choice, range })}
      />
      <Segments
        legend={words().by}
        values={groupsOf(props.choice.scope)}
        name={(group) => words().groups[group]}
        chosen={props.choice.group}
        onChoose={(group) => props.onChoose({ ...props.choice, group })}
      />
      <button type="button" class="oc-button" aria-disabled={props.isLoading} onClick={() => !props.isLoading && props.onReload()}>
        <RetryIcon /> {words().refresh}
      </button>
    </div>
  );
}

/** Radio buttons in a row: the arrow keys go through them. */
function Segments<T extends string>(props: { legend: string; values: readonly T[]; name: (value: T) => string; chosen: T; onChoose: (value: T) => void }) {
  const group = createUniqueId();
  return (
    <fieldset class="oc-usage-segments">
      <legend>{props.legend}</legend>
      <For each={props.values}>
        {(value) => (
          <label>
            <input type="radio" name={group} value={value} checked={props.chosen === value} onChange={() => props.onChoose(value)} />
            <span>{props.name(value)}</span>
          </label>
        )}
      </For>
    </fieldset>
  );
}
