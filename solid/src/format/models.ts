/** A model id or inference profile in words: `us.anthropic.claude-sonnet-4-5-20250929-v1:0` is `Claude Sonnet 4.5 (US)`. */
export function modelName(id: string): string {
  const found = /^(?:([a-z-]+)\.)?anthropic\.(claude-[a-z0-9-]+?)(?:-(\d{8}))?(?:-v\d+)?(?::\d+)?$/.exec(id);
  if (found === null) return id;
  const [, region, family = "", date] = found;
  const words = family.replace(/(\d)-(\d)/g, "$1.$2").split("-");
  const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(" ");
  const notes = [date === undefined || !NEEDS_DATE.test(family) ? "" : isoDate(date), region === undefined ? "" : regionName(region)];
  const note = notes.filter((part) => part !== "").join(", ");
  return note === "" ? name : `${name} (${note})`;
}

/** Families of which two dated releases share one name. */
const NEEDS_DATE = /^claude-3-5-sonnet$/;

function isoDate(date: string): string {
  return `${date.slice(0, 4)}-${date.slice(4, 6)}`;
}

function regionName(region: string): string {
  return region.length <= 2 ? region.toUpperCase() : region.charAt(0).toUpperCase() + region.slice(1);
}
