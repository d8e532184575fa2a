// Headless Firefox as it is released, by WebDriver BiDi. Playwright's own Firefox is in no package; of the released one it expects a
// little more than the long-term release has, and that is made up for here.

import { firefox } from "playwright-core";

const EXECUTABLE = process.env.FIREFOX || "/usr/bin/firefox-esr";

/** How to run JavaScript in the window of Firefox itself, for each browser. */
const windows = new WeakMap();

export async function launchFirefox() {
  const browser = await firefox.launch({ executablePath: EXECUTABLE, channel: "moz-firefox", args: ["--remote-allow-system-access"] });
  const { _browserSession: session, _connection: connection } = browser._connection.toImpl(browser);
  const send = session.send.bind(session);
  // Sent for every new context, and unknown to Firefox: `wear` does it.
  session.send = async (method, params) => (method === "emulation.setMediaFeaturesOverride" ? {} : send(method, params));
  const { contexts } = await send("browsingContext.getTree", { "moz:scope": "chrome" });
  windows.set(browser, (expression) => send("script.evaluate", { expression, target: { context: contexts[0].context }, awaitPromise: false }));
  nameDownloads(connection._transport);
  return browser;
}

/** Gives downloads without a navigation, such as those of a link with `download`, the id without which Playwright drops them. */
function nameDownloads(transport) {
  const { onmessage } = transport;
  transport.onmessage = (message) => {
    if (/^browsingContext\.download/.test(message.method)) message.params.download ??= message.params.navigation ?? message.params.url;
    onmessage(message);
  };
}

/** What pages of this browser are shown with from now on: Firefox has it as preferences, which are those of all pages. */
export async function wear(browser, { colorScheme, reducedMotion, forcedColors }) {
  const preferences = {
    "layout.css.prefers-color-scheme.content-override": colorScheme === "dark" ? 0 : 1,
    "ui.prefersReducedMotion": reducedMotion === "reduce" ? 1 : 0,
    "browser.display.document_color_use": forcedColors === "active" ? 2 : 0,
  };
  const done = await windows.get(browser)(`for (const [name, value] of ${JSON.stringify(Object.entries(preferences))}) Services.prefs.setIntPref(name, value)`);
  if (done.type !== "success") throw new Error(`Firefox refuses a preference: ${JSON.stringify(done)}`);
}
