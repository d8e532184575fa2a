import { ChatClient, ChatError } from "@outcrop/client";

const output = document.querySelector<HTMLElement>("#answer")!;
// The development server is not the proxy, so the page's address names it.
const client = new ChatClient({ url: new URLSearchParams(location.search).get("proxy") ?? "/ws" });

try {
  for await (const chunk of client.streamMessage({ message: "Hello" })) {
    if (chunk.type === "token") output.append(chunk.content);
    else if (chunk.type === "done") output.dataset["done"] = chunk.stopReason;
  }
} catch (error) {
  output.textContent = error instanceof ChatError ? error.message : String(error);
}
