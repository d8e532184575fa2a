import { Chat } from "./chat.jsx";

export default function Page() {
  return <Chat message="Hello" />;
}
