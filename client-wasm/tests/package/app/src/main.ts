import { ChatClient, ChatError, type Answer, type ChatErrorCode, type Chunk, type ConnectionStatus, type PageUsage } from "@outcrop/client";

const client = new ChatClient({ url: "ws://localhost:3001", token: async () => "token", delivery: "frame" });
const output = document.querySelector("#answer")!;

client.on("status", (status: ConnectionStatus) => {
  if (status.state === "reconnecting") output.textContent = `${status.reason}: again in ${status.retryInMs} ms`;
});
const stop: () => void = client.on("usage", (usage: PageUsage) => console.log(usage.costNanoUsd, usage.byModel));

export async function ask(message: string, signal: AbortSignal): Promise<Answer> {
  for await (const chunk of client.streamMessage({ message }, { signal })) show(chunk);
  stop();
  return client.sendMessage({ sessionId: "s", message });
}

function show(chunk: Chunk): void {
  switch (chunk.type) {
    case "token":
    case "reasoning":
      output.append(chunk.content);
      break;
    case "tool":
      output.append(chunk.call.name);
      break;
    case "status":
      output.append(chunk.state);
      break;
    case "done":
      console.log(chunk.usage.totalTokens, chunk.stopReason);
      break;
    default:
      chunk satisfies never;
  }
}

ask("Hello", new AbortController().signal).catch((error: unknown) => {
  if (!(error instanceof ChatError)) throw error;
  const code: ChatErrorCode = error.code;
  // @ts-expect-error The set of codes is closed.
  if (code === "nonsense") return;
  if (error.retryable) setTimeout(() => void client.listSessions(), error.retryAfterMs ?? 1000);
});
