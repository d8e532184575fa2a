import { ChatClient } from "@outcrop/client";

const output = document.querySelector("#answer");
const client = new ChatClient();

async function ask(message) {
  for await (const chunk of client.streamMessage({ message })) {
    if (chunk.type === "token") output.append(chunk.content);
    else if (chunk.type === "done") output.dataset.done = chunk.stopReason;
  }
}

void ask("Hello");
