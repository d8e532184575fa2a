import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// Where next itself lies: in a project of one's own that is the project.
const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

export default { turbopack: { root } };
