import type { Chunk, Message, Part, Request, StopReason, Usage } from "@outcrop/client";
import type { Client } from "./client.ts";
import { isChatError } from "./failure.ts";

/** What comes of an answer. The end of one that came whole has its parts, where it is more than one text. */
export type Received = Exclude<Chunk, { type: "done" }> | (Extract<Chunk, { type: "done" }> & { parts?: readonly Part[] });

type Sent = Request & { id: string; sessionId: string };

/** The answer to a message in one piece. Stopped, it ends with what it used, as a streamed one does. */
export async function* wholeAnswer(client: Client, request: Sent, signal: AbortSignal): AsyncIterableIterator<Received> {
  try {
    const { message, usage } = await client.sendMessage(request, { signal });
    yield endOf(request.sessionId, message, usage, "other");
  } catch (error) {
    const isStopped = signal.aborted && isChatError(error) && error.code === "aborted";
    const end = isStopped ? await stoppedAnswer(client, request).catch(() => undefined) : undefined;
    if (end === undefined) throw error;
    yield end;
  }
}

function endOf(sessionId: string, { messageId, content, parts, stopReason }: Message, usage: Usage, otherwise: StopReason): Received {
  return { type: "done", sessionId, messageId, content, stopReason: stopReason ?? otherwise, usage, ...(parts === undefined ? {} : { parts }) };
}

/** How far back it is looked for: more may have been said meanwhile. */
const LATEST = 20;

/** What became of an answer that was stopped, once it has been counted: the conversation has it then. Nothing, where it never had its message. */
async function stoppedAnswer(client: Client, { id, sessionId }: Sent): Promise<Received | undefined> {
  for (;;) {
    const news = nextNews(client);
    try {
      const { messages, inProgress } = await client.history({ sessionId, limit: LATEST });
      const asked = messages.findIndex(({ requestId }) => requestId === id);
      const answer = asked === -1 ? undefined : messages[asked + 1];
      if (answer?.usage !== undefined) return endOf(sessionId, answer, answer.usage, "cancelled");
      if (asked === -1 || inProgress === undefined) return undefined;
      await news.come;
    } finally {
      news.leave();
    }
  }
}

/** Something has been counted, or the connection is there again or at its end. */
function nextNews(client: Client): { come: Promise<void>; leave: () => void } {
  let leave = () => {};
  const come = new Promise<void>((resolve) => {
    const before = client.status;
    const leaveUsage = client.on("usage", () => resolve());
    const leaveStatus = client.on("status", (status) => status !== before && (status.state === "open" || status.state === "closed") && resolve());
    leave = () => [leaveUsage, leaveStatus].forEach((end) => end());
  });
  return { come, leave };
}
