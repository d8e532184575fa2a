import { createSignal, onCleanup, type Accessor } from "solid-js";

export type Route = "overview" | "chat";

/** The page in the address: `#/` or `#/chat`. */
export function createRoute(): Accessor<Route> {
  const read = (): Route => (location.hash === "#/chat" ? "chat" : "overview");
  const [route, setRoute] = createSignal(read());
  const onChange = () => setRoute(read());
  window.addEventListener("hashchange", onChange);
  onCleanup(() => window.removeEventListener("hashchange", onChange));
  return route;
}
