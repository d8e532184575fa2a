// Pictures of the page, compared with those in screenshots/.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import pixelmatch from "pixelmatch";
import { readPng, writePng } from "./png.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
const KEPT = join(ROOT, "e2e", "screenshots");
const FAILED = join(ROOT, "target", "screenshots");
const MADE_WITH = join(KEPT, "browser.json");

const UPDATE = process.env.UPDATE_SCREENSHOTS === "1";
const ACCEPT = "UPDATE_SCREENSHOTS=1 npm test -- states";

/**
 * Which share of the pixels may differ. The same browser draws the same pixels; another version may smooth a curve or a letter in another way,
 * which is far less than a line of text that has moved.
 */
const SHARE = { sameVersion: 0.0002, otherVersion: 0.01 };

/** How far colours may be apart (0 to 1) to be taken for one. */
const COLOUR_THRESHOLD = 0.1;

/** Compares the page as it is with the picture of this name, or keeps it as that picture. Resolves with what is wrong, if anything is. */
export async function compare(page, name) {
  const taken = readPng(await page.screenshot({ animations: "disabled", caret: "hide" }));
  const version = page.context().browser().version().split(".")[0];
  const path = join(KEPT, `${name}.png`);
  if (UPDATE) return keep(path, taken, version);
  if (!existsSync(path)) return `there is no ${relative(ROOT, path)} yet; make it with ${ACCEPT}`;
  const kept = readPng(readFileSync(path));
  const { chromium } = JSON.parse(readFileSync(MADE_WITH, "utf8"));
  const allowed = chromium === version ? SHARE.sameVersion : SHARE.otherVersion;
  if (kept.width !== taken.width || kept.height !== taken.height) {
    return report(name, `is ${taken.width}×${taken.height} instead of ${kept.width}×${kept.height}`, { actual: taken });
  }
  const diff = { width: kept.width, height: kept.height, data: new Uint8Array(kept.data.length) };
  const share = differing(kept, taken, diff.data) / (kept.width * kept.height);
  if (share <= allowed) return undefined;
  const percent = (part) => `${(100 * part).toFixed(3)} %`;
  const versions = chromium === version ? "" : ` (it was made with Chromium ${chromium}, this is ${version})`;
  return report(name, `differs in ${percent(share)} of its pixels, where ${percent(allowed)} may${versions}`, { actual: taken, diff });
}

const differing = (a, b, diff) => pixelmatch(a.data, b.data, diff, a.width, a.height, { threshold: COLOUR_THRESHOLD });

/** A picture without a difference is left as it is, so that an update touches what has changed and nothing else. */
function keep(path, taken, version) {
  mkdirSync(KEPT, { recursive: true });
  writeFileSync(MADE_WITH, `${JSON.stringify({ chromium: version })}\n`);
  const kept = existsSync(path) ? readPng(readFileSync(path)) : undefined;
  const isSame = kept !== undefined && kept.width === taken.width && kept.height === taken.height && differing(kept, taken) === 0;
  if (!isSame) writeFileSync(path, writePng(taken));
}

function report(name, what, pictures) {
  mkdirSync(FAILED, { recursive: true });
  const paths = Object.entries(pictures).map(([kind, picture]) => {
    const path = join(FAILED, `${name}.${kind}.png`);
    writeFileSync(path, writePng(picture));
    return `  ${kind.padEnd(6)} ${relative(ROOT, path)}`;
  });
  return [`screenshots/${name}.png ${what}:`, ...paths, `If it is meant to look like this: ${ACCEPT}`].join("\n");
}
