import { attachmentLimits, ChatClient, ChatError, readAttachments, type Answer, type Attachment, type ChatErrorCode, type Chunk, type ConnectionStatus, type PageUsage } from "@outcrop/client";

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

export async function again(sessionId: string, answer: Answer): Promise<void> {
  for await (const chunk of client.regenerate({ sessionId, messageId: answer.messageId, systemPrompt: "Be brief." })) show(chunk);
  for await (const chunk of client.streamMessage({ sessionId, message: "Or so?", replaces: "msg_1" })) show(chunk);
  // @ts-expect-error Only a message has files.
  client.regenerate({ sessionId, messageId: answer.messageId, attachments: [] });
}

export async function look(files: FileList, pasted: Blob): Promise<Answer> {
  const read: Attachment[] = await readAttachments(files);
  if (pasted.size > attachmentLimits.maxTotalBytes) read.pop();
  return client.sendMessage({ message: "What is this?", attachments: [...read, pasted] });
}

function show(chunk: Chunk): void {
  switch (chunk.type) {
    case "token":
    case "reasoning":
      output.append(chunk.content);
      break;
    case "tool":
      output.append(chunk.call.name, chunk.call.result?.text ?? chunk.call.partialInput ?? "");
      if (chunk.call.status === "pending_approval") {
        void client.approveTool({ toolUseId: chunk.call.toolUseId, messageId: chunk.messageId, approved: false });
      }
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

/** Whether two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <T extends true>(): T | void => {};

holds<Same<ReturnType<typeof client.usage>, PageUsage>>();
holds<Same<ReturnType<typeof client.costNanoUsd>, number | undefined>>();
holds<Same<Extract<Chunk, { type: "done" }>["messageId"], string>>();
// @ts-expect-error Whether it streams is said by the method.
client.sendMessage({ message: "Hello", streaming: true });
// @ts-expect-error A message has a text.
client.streamMessage({});
// @ts-expect-error There is no such event.
client.on("message", () => {});

new ChatClient({ WebSocket, module: () => new URL("https://cdn.example/outcrop_client_bg.wasm") });
new ChatClient({ module: async () => WebAssembly.compile(new Uint8Array()) });
// @ts-expect-error A class is wanted.
new ChatClient({ WebSocket: new WebSocket("ws://localhost") });
