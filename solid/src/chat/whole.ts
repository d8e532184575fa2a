import type { Chunk, Part, Request } from "@outcrop/client";
import type { Client } from "./client.ts";
import { isChatError } from "./failure.ts";

type Done = Extract<Chunk, { type: "done" }>;

/** What comes of an answer. The end of one that came whole has its parts, where it is more than one text. */
export type Received = Exclude<Chunk, Done> | (Done & { parts?: readonly Part[] });

type Sent = Request & { id: string; sessionId: string };

/** The answer to a message in one piece. Stopped, it ends with what it used, as a streamed one does. */
export async function* wholeAnswer(client: Client, request: Sent, signal: AbortSignal): AsyncIterableIterator<Received> {
  try {
    const { message, ...answer } = await client.sendMessage(request, { signal });
    yield { type: "done", ...answer, stopReason: answer.stopReason ?? "other", ...(message.parts === undefined ? {} : { parts: message.parts }) };
  } catch (error) {
    if (!signal.aborted || !isChatError(error) || error.code !== "aborted") throw error;
    let isCounted = false;
    for await (const chunk of stoppedAnswer(client, request, signal)) {
      isCounted = true;
      yield chunk;
    }
    if (!isCounted) throw error;
  }
}

/** What became of an answer that was stopped while nobody followed it: nothing, where the proxy has not had its message. */
async function* stoppedAnswer(client: Client, { id, sessionId }: Sent, signal: AbortSignal): AsyncIterableIterator<Received> {
  const { messages, inProgress } = await client.history({ sessionId, limit: 2 });
  const asked = messages.findIndex(({ requestId }) => requestId === id);
  const answer = asked === -1 ? undefined : messages[asked + 1];
  if (answer?.usage !== undefined) {
    const { messageId, content, usage, parts } = answer;
    yield { type: "done", sessionId, messageId, content, stopReason: answer.stopReason ?? "cancelled", usage, ...(parts === undefined ? {} : { parts }) };
  } else if (asked !== -1 && inProgress !== undefined) {
    yield* client.followMessage({ sessionId, inProgress }, { signal });
  }
}
