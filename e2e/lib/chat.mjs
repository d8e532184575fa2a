// What a person sees and does, by role and name, as a screen reader would.

/** The composer that is in sight. */
export const composer = (page) => page.getByRole("textbox", { name: "Message", exact: true });

export const answers = (page) => page.locator(".oc-answer");

export const lastAnswer = (page) => answers(page).last();

/** Writes a message and sends it with Enter. */
export async function say(page, text) {
  await composer(page).fill(text);
  await composer(page).press("Enter");
}

/** Waits until the page is connected. */
export async function connected(page) {
  await page.locator('.oc-connection[data-state="open"]').first().waitFor();
}

/** Waits until answer number `count` (from 1) has come to an end, in this way if one is named; returns it. */
export async function answered(page, count, phase) {
  const answer = answers(page).nth(count - 1);
  const phases = phase === undefined ? ["complete", "stopped", "failed"] : [phase];
  const matching = phases.map((name) => `[data-phase="${name}"]`).join(",");
  await answer.and(page.locator(matching)).waitFor();
  return answer;
}

/** Waits until the text of the last answer is longer than `length` characters; returns its length. */
export async function grown(page, length) {
  const handle = await page.waitForFunction((than) => {
    const found = [...document.querySelectorAll(".oc-answer .oc-markdown")].at(-1);
    const now = found?.textContent?.length ?? 0;
    return now > than ? now : false;
  }, length);
  return handle.jsonValue();
}

/** The text of an answer, without the line under it. */
export const textOf = (answer) => answer.locator(".oc-markdown").innerText();
