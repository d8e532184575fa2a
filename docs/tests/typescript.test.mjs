import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Application, LogLevel, ReflectionKind } from "typedoc";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

// What is in no package of its own is for TypeDoc in that of the folder it is called in.
process.chdir(ROOT);

/** The packages that others import, by the files with the types of their entries. Functions are documented in all of them. */
const PACKAGES = [
  {
    name: "@outcrop/client",
    types: ["client-wasm/npm/index.d.ts"],
    requiredToBeDocumented: ["Class", "Interface", "TypeAlias", "Function", "Method", "Variable"],
    // It is, by the type that it comes from.
    intentionallyNotDocumented: ["ChatClient.[dispose]"],
  },
  {
    name: "@outcrop/solid",
    types: ["index", "usage", "format"].map((entry) => `solid/dist/types/${entry}.d.ts`),
    requiredToBeDocumented: ["Class", "Interface", "TypeAlias"],
    // What others are put together from.
    intentionallyNotExported: ["Asked", "PartialOf"],
  },
];

for (const { name, types, ...options } of PACKAGES) {
  test(`${name}: TypeDoc has nothing to say against the documentation of what is exported`, async () => {
    const app = await Application.bootstrap({
      name,
      entryPoints: types.map((path) => join(ROOT, path)),
      logLevel: LogLevel.None,
      readme: "none",
      packagesRequiringDocumentation: [name, "outcrop"],
      validation: { notExported: true, invalidLink: true, invalidPath: true, rewrittenLink: true, notDocumented: true, unusedMergeModuleWith: true },
      compilerOptions: { target: "es2022", module: "nodenext", moduleResolution: "nodenext", lib: ["es2022", "dom", "dom.iterable", "esnext.disposable"], strict: true, skipLibCheck: false },
      ...options,
    });
    const said = [];
    app.logger.log = (message, level) => {
      if (level >= LogLevel.Warn) said.push(message);
    };
    const project = await app.convert();
    if (project !== undefined) app.validate(project);
    assert.deepEqual(said, []);
    const functions = project.getReflectionsByKind(ReflectionKind.Function).filter(({ parent }) => parent.kindOf(ReflectionKind.SomeModule));
    const undocumented = functions.filter(({ signatures }) => !signatures[0].hasComment()).map((found) => found.getFullName());
    assert.deepEqual(undocumented, []);
    assert.ok(project.children.length > 0);
  });
}
