/**
 * Copies what is selected with formulas as their source, which is what a text can hold of them. Leaves it to the browser where no formula is
 * selected.
 */
export function copyWithSources(event: ClipboardEvent): void {
  const selection = document.getSelection();
  if (event.defaultPrevented || event.clipboardData === null || selection === null) return;
  const formulas = [...document.querySelectorAll<HTMLElement>(".oc-math[data-shown]")].filter((formula) => selection.containsNode(formula, true));
  if (formulas.length === 0) return;
  // The browser makes the text of what is seen; nothing of this is painted.
  for (const formula of formulas) formula.dataset["copying"] = "";
  const text = selection.toString();
  for (const formula of formulas) delete formula.dataset["copying"];
  event.clipboardData.setData("text/plain", text);
  event.preventDefault();
}
