import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Application, LogLevel } from "typedoc";

/** The packages that others import, by the file with their types. */
const PACKAGES = [{ name: "@outcrop/client", types: "client-wasm/npm/index.d.ts" }];

for (const { name, types } of PACKAGES) {
  test(`${name}: TypeDoc has nothing to say against the documentation of what is exported`, async () => {
    const app = await Application.bootstrap({
      name,
      entryPoints: [fileURLToPath(new URL(`../../${types}`, import.meta.url))],
      logLevel: LogLevel.None,
      readme: "none",
      requiredToBeDocumented: ["Class", "Interface", "TypeAlias", "Function", "Method", "Variable"],
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
