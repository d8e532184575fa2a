// Browsers and their drivers, for tests only.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Advice } from "../lib/failures.mjs";
import { ROOT, STATE, TOOLS_BIN } from "../lib/paths.mjs";
import { hasDebianPackages, installDebianPackages, isDebianRoot, onPath } from "../lib/system.mjs";

/** What pictures of the page need to be the same everywhere: the fonts, and a library that sets a program's clock. */
const FOR_PICTURES = ["fonts-dejavu-core", "libfaketime"];
const DEBIAN_PACKAGES = ["chromium", "chromium-driver", "firefox-esr", ...FOR_PICTURES];

export const CHROMIUM = process.env.CHROMIUM || "/usr/bin/chromium";
export const CHROMEDRIVER = process.env.CHROMEDRIVER || "/usr/bin/chromedriver";
export const FIREFOX = process.env.FIREFOX || "/usr/bin/firefox-esr";
/** A function: the driver may be installed only after this module is loaded. */
export const geckodriverPath = () => (existsSync(join(TOOLS_BIN, "geckodriver")) ? join(TOOLS_BIN, "geckodriver") : onPath("geckodriver"));

export const browsers = {
  id: "browsers",
  title: "Chromium and Firefox",
  ready: () => [CHROMIUM, CHROMEDRIVER, FIREFOX].every((path) => existsSync(path)) && (!isDebianRoot() || hasDebianPackages(FOR_PICTURES)),
  async run(step) {
    if (!isDebianRoot()) throw new Advice(WITHOUT_DEBIAN);
    await installDebianPackages(step, DEBIAN_PACKAGES);
  },
};

export const python = {
  id: "python",
  title: "Python with venv",
  ready: () => onPath("python3") !== null,
  async run(step) {
    if (!isDebianRoot()) throw new Advice("Python 3 with its venv module is missing. Install it and run this again.");
    await installDebianPackages(step, ["python3", "python3-venv"]);
  },
};

/** wasm-bindgen's file of browser settings, with the browsers of this machine. */
export function webdriverSettings() {
  const settings = JSON.parse(readFileSync(join(ROOT, "client-wasm", "webdriver.json"), "utf8"));
  settings["goog:chromeOptions"].binary = CHROMIUM;
  settings["moz:firefoxOptions"].binary = FIREFOX;
  const path = join(STATE, "webdriver.json");
  writeFileSync(path, JSON.stringify(settings));
  return path;
}

const WITHOUT_DEBIAN = `\
The browser tests need Chromium with chromedriver, Firefox, and for their pictures DejaVu's fonts and libfaketime. Install them:

  Debian, Ubuntu    sudo apt-get install ${DEBIAN_PACKAGES.join(" ")}
  elsewhere         from your system's packages; then set CHROMIUM, CHROMEDRIVER, FIREFOX and LIBFAKETIME to their paths

and run the tests again.`;
