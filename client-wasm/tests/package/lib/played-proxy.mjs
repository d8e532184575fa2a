// A proxy that a test plays: it takes what the client sends and answers what needs no script.

import { serve, Turn } from "../../js/fake-server.mjs";

export { ChatError, chat } from "../../js/harness.mjs";

/** Waits until `condition()` gives something, one timer after the other: TanStack's chat takes a timer for each event. */
export async function until(condition) {
  for (let turns = 0; turns < 2_000; turns += 1) {
    const value = condition();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve));
  }
  throw new Error(`never: ${condition}`);
}

/** `turns` has the answer to each message, to be played; `history` is what there is of conversations. */
export function play({ history } = {}) {
  const played = { frames: [], turns: [], decisions: [], isBusy: false };
  serve((frame, socket) => {
    const { id, type, data } = frame;
    played.frames.push(frame);
    const refuse = (code) => socket.receive({ id, type: "chat.error", data: { code, message: `no: ${code}`, retryable: false } });
    if (type === "chat.send_message") played.turns.push(new Turn(socket, frame, `msg_${played.turns.length + 1}`));
    else if (type === "chat.cancel") played.turns.at(-1).complete("cancelled");
    else if (type === "chat.resume") played.turns.push(new Turn(socket, { id: "of-another-page", data: {} }, data.messageId, "s", data.after));
    else if (type === "chat.get_history") history ? socket.receive({ id, type: "chat.history_response", data: { sessionId: "s", hasMore: false, ...history } }) : refuse("session_not_found");
    else if (type === "chat.approve_tool" && played.isBusy) refuse("rate_limited");
    else if (type === "chat.approve_tool") {
      played.decisions.push(data);
      socket.receive({ id, type: "chat.tool_approved", data: { toolUseId: data.toolUseId, approved: data.approved } });
    } else refuse("invalid_request");
  });
  return played;
}

export const CALL = { toolUseId: "call_1", name: "weather", server: "sky", input: {}, status: "preparing" };
export const WRITTEN = { ...CALL, input: { city: "Oslo" } };
export const RESULT = { text: "4 °C" };

export const STORED = [
  { messageId: "msg_a", role: "user", content: "Weather?", timestamp: "2026-11-23T12:00:00.000Z" },
  {
    messageId: "msg_b",
    role: "assistant",
    content: "Cold.",
    timestamp: "2026-11-23T12:00:01.000Z",
    stopReason: "end_turn",
    parts: [
      { type: "reasoning", text: "Look." },
      { type: "tool_use", ...WRITTEN, status: "succeeded", result: RESULT },
      { type: "tool_use", ...WRITTEN, toolUseId: "call_2", status: "failed", result: { text: "no sky" } },
      { type: "text", text: "Cold." },
    ],
  },
];
/** An answer that waits for a person. */
export const ASKING = {
  seq: 3,
  message: { messageId: "msg_1", role: "assistant", content: "", timestamp: "2026-11-23T12:00:02.000Z", parts: [{ type: "tool_use", ...WRITTEN, status: "pending_approval" }] },
};
export const UNDER_WAY = { seq: 2, message: { messageId: "msg_1", role: "assistant", content: "Bed", timestamp: "2026-11-23T12:00:02.000Z" } };
