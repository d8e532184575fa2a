import { createUniqueId, For, Show } from "solid-js";
import { RetryIcon } from "../common/icons.tsx";
import { RANGE_NAMES, RANGES } from "./range.ts";
import { groupsOf, type Choice, type Group, type Scope } from "./report.ts";

export const GROUP_NAMES: Record<Group, string> = { model: "Model", session: "Conversation", user: "User", organization: "Organization", day: "Day" };

const SCOPE_NAMES: Record<Scope, string> = { own: "Mine", organization: "My organization", all: "Everybody" };

/** What is shown: whose, where one may see that of others, of which time, and by what. */
export function Controls(props: { choice: Choice; scopes: readonly Scope[]; isLoading: boolean; onChoose: (choice: Choice) => void; onReload: () => void }) {
  return (
    <div class="oc-usage-controls">
      <Show when={props.scopes.length > 1}>
        <Segments
          legend="Whose"
          values={props.scopes}
          name={(scope) => SCOPE_NAMES[scope]}
          chosen={props.choice.scope}
          onChoose={(scope) => props.onChoose({ ...props.choice, scope, group: groupsOf(scope).includes(props.choice.group) ? props.choice.group : "model" })}
        />
      </Show>
      <Segments
        legend="Time"
        values={RANGES}
        name={(range) => RANGE_NAMES[range]}
        chosen={props.choice.range}
        onChoose={(range) => props.onChoose({ ...props.choice, range })}
      />
      <Segments
        legend="By"
        values={groupsOf(props.choice.scope)}
        name={(group) => GROUP_NAMES[group]}
        chosen={props.choice.group}
        onChoose={(group) => props.onChoose({ ...props.choice, group })}
      />
      <button type="button" class="oc-button" aria-disabled={props.isLoading} onClick={() => !props.isLoading && props.onReload()}>
        <RetryIcon /> Refresh
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
