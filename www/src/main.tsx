import { ChatClient } from "@outcrop/client";
import { render } from "solid-js/web";
import { App } from "./app/App.tsx";
import { Door } from "./app/sign-in/Door.tsx";
import { applyTheme, storedTheme } from "./app/theme.ts";
import "@outcrop/solid/styles.css";
import "./app/base.css";

/** The dev server serves the page only; the proxy has its own port. A built page is served by the proxy itself. */
const address = import.meta.env.DEV ? { url: "ws://127.0.0.1:3001/ws" } : {};

applyTheme(storedTheme());
render(
  () => <Door makeClient={(token) => new ChatClient({ ...address, token })}>{(client, signOut) => <App client={client} signOut={signOut} />}</Door>,
  document.getElementById("app") as HTMLElement,
);
