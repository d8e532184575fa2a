import { createRenderEffect, untrack, type JSX } from "solid-js";
import { isServer } from "solid-js/web";

/**
 * One text node for as long as it is shown. Text that comes is added to it: what a person has selected stays selected, and the elements beside
 * it stay where they are.
 */
export function PlainText(props: { text: string }): JSX.Element {
  if (isServer) return <>{props.text}</>;
  const node = document.createTextNode(untrack(() => props.text));
  createRenderEffect(() => {
    const { text } = props;
    if (text === node.data) return;
    if (text.startsWith(node.data)) node.appendData(text.slice(node.length));
    else node.data = text;
  });
  return node;
}
