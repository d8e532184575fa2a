import { createEffect, createUniqueId, onMount } from "solid-js";
import { Mark } from "../Mark.tsx";
import "./sign-in.css";

/** Asks for a token. `trouble` is why the one before does not do, or not yet. */
export function SignIn(props: { isTrying: boolean; trouble?: string | undefined; onToken: (token: string) => void }) {
  const hint = createUniqueId();
  const error = createUniqueId();
  let field: HTMLInputElement | undefined;
  onMount(() => field?.focus());
  createEffect(() => {
    if (props.trouble !== undefined && !props.isTrying) field?.select();
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const token = field?.value.trim() ?? "";
    if (token !== "" && !props.isTrying) props.onToken(token);
  };
  return (
    <main class="oc sign-in">
      <form class="sign-in-card" onSubmit={submit}>
        <Mark size={32} />
        <h1>Sign in to Outcrop</h1>
        <label>
          <span>Access token</span>
          <input
            ref={field}
            type="password"
            name="token"
            required
            autocomplete="off"
            spellcheck={false}
            aria-describedby={`${hint} ${error}`}
            aria-invalid={props.trouble !== undefined && !props.isTrying}
          />
        </label>
        <p class="oc-error-text" id={error} role="alert">{props.trouble}</p>
        <button type="submit" class="oc-button oc-button-primary" aria-disabled={props.isTrying}>{props.isTrying ? "Signing in…" : "Sign in"}</button>
        <div class="sign-in-hint oc-muted" id={hint}>
          <p>Ask whoever runs this proxy for one. To make one yourself, on its machine:</p>
          <pre><code>{"outcrop-proxy token \\\n  --user ann --organization acme"}</code></pre>
          <p>This tab keeps it until you sign out or close the tab.</p>
        </div>
      </form>
    </main>
  );
}
