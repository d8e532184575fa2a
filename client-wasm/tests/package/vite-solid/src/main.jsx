import { ChatClient } from "@outcrop/client";
import { createSignal, onCleanup, onMount } from "solid-js";
import { render } from "solid-js/web";

function Chat() {
  const client = new ChatClient();
  onCleanup(() => client.close());
  const [text, setText] = createSignal("");
  const [reason, setReason] = createSignal();
  onMount(async () => {
    for await (const chunk of client.streamMessage({ message: "Hello" })) {
      if (chunk.type === "token") setText(text() + chunk.content);
      else if (chunk.type === "done") setReason(chunk.stopReason);
    }
  });
  return <p id="answer" data-done={reason()}>{text()}</p>;
}

render(() => <Chat />, document.getElementById("root"));
