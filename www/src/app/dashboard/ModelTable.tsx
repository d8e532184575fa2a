import type { ServerHello } from "@outcrop/client";
import { For, Show } from "solid-js";
import { formatCount, formatPrice, modelName } from "@outcrop/solid/format";

/** The models that the proxy offers, with the prices that costs are computed from. */
export function ModelTable(props: { server: ServerHello | undefined }) {
  return (
    <section class="oc-dash-card oc-dash-prices" aria-labelledby="prices-title">
      <h2 id="prices-title">Models and prices</h2>
      <Show when={props.server} fallback={<p class="oc-dash-none">The proxy lists its models once the page is connected.</p>}>
        {(server) => (
          <>
            <div class="oc-dash-scroll" role="group" aria-labelledby="prices-title" tabindex="0">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Model</th><th scope="col">In, per million</th><th scope="col">Out, per million</th>
                    <th scope="col">Context</th><th scope="col">Longest answer</th>
                  </tr>
                </thead>
                <tbody>
                  <For each={server().models}>
                    {(info) => (
                      <tr>
                        <td title={info.model}>{modelName(info.model)} <Show when={info.default}><span class="oc-badge">Default</span></Show></td>
                        <td>{info.price === undefined ? "unpriced" : formatPrice(info.price.input)}</td>
                        <td>{info.price === undefined ? "unpriced" : formatPrice(info.price.output)}</td>
                        <td>{info.contextTokens === undefined ? "–" : formatCount(info.contextTokens)}</td>
                        <td>{info.maxOutputTokens === undefined ? "–" : formatCount(info.maxOutputTokens)}</td>
                      </tr>
                    )}
                  </For>
                </tbody>
              </table>
            </div>
            <p class="oc-muted">Price table {server().priceVersion}.</p>
          </>
        )}
      </Show>
    </section>
  );
}
