import { ChatClient, ChatError } from "@outcrop/client";

const output = document.querySelector<HTMLElement>("#answer")!;
const client = new ChatClient();

try {
  for await (const chunk of client.streamMessage({ message: "Hello" })) {
    if (chunk.type === "token") output.append(chunk.content);
    else if (chunk.type === "done") output.dataset["done"] = chunk.stopReason;
  }
} catch (error) {
  output.textContent = error instanceof ChatError ? error.message : String(error);
}
