import { ChatClient } from "./node_modules/@outcrop/client/index.js";

const client = new ChatClient();
const form = document.querySelector("form");
const answer = document.querySelector("#answer");
let stop = new AbortController();
let sessionId;

answer.style.whiteSpace = "pre-wrap";

form.addEventListener("reset", () => stop.abort());
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  stop.abort();
  stop = new AbortController();
  const message = form.elements.message.value;
  delete answer.dataset.done;
  answer.textContent = "";
  try {
    for await (const chunk of client.streamMessage({ sessionId, message }, { signal: stop.signal })) {
      if (chunk.type === "token") answer.append(chunk.content);
      else if (chunk.type === "done") {
        sessionId = chunk.sessionId;
        answer.dataset.done = chunk.stopReason;
      }
    }
  } catch (error) {
    answer.textContent = error.message;
  }
});
