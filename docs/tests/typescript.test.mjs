import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Application, LogLevel } from "typedoc";

/** The packages that others import: the files with the types of their entries, and what has to be documented in them. */
const PACKAGES = [
  { name: "@outcrop/client", types: ["client-wasm/npm/index.d.ts"], documented: ["Class", "Interface", "TypeAlias", "Function", "Method", "Variable"] },
  { name: "@outcrop/solid", types: ["index", "usage", "format"].map((entry) => `solid/dist/types/${entry}.d.ts`), documented: ["Class", "Function", "Variable"] },
];

for (const { name, types, documented } of PACKAGES) {
  test(`${name}: TypeDoc has nothing to say against the documentation of what is exported`, async () => {
    const app = await Application.bootstrap({
      name,
      entryPoints: types.map((path) => fileURLToPath(new URL(`../../${path}`, import.meta.url))),
      logLevel: LogLevel.None,
      readme: "none",
      requiredToBeDocumented: documented,
      validation: { notExported: true, invalidLink: true, invalidPath: true, rewrittenLink: true, notDocumented: true, unusedMergeModuleWith: true },
      compilerOptions: { target: "es2022", module: "nodenext", moduleResolution: "nodenext", lib: ["es2022", "dom", "dom.iterable", "esnext.disposable"], strict: true, skipLibCheck: false },
    });
    const said = [];
    app.logger.log = (message, level) => {
      if (level >= LogLevel.Warn) said.push(message);
    };
    const project = await app.convert();
    if (project !== undefined) app.validate(project);
    assert.deepEqual(said, []);
    assert.ok(project.children.length > 0);
  });
}
