import { Show } from "solid-js";
import type { ServerHello } from "@outcrop/client";

/** Says that no model answers, where the proxy said so. */
export function DemoBanner(props: { server: ServerHello | undefined }) {
  return (
    <Show when={props.server?.demo}>
      <div class="oc oc-demo" role="region" aria-label="Demo mode">
        <p>
          <strong>Demo mode:</strong> answers come from the built-in emulator, not from Bedrock. Configure AWS credentials and restart to talk to
          Claude. Send <code>/help</code> to see what the emulator can act out.
        </p>
      </div>
    </Show>
  );
}
