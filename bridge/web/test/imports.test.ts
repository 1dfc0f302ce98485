/** Rules of imports between the files of src/: no circles, and a client that needs no other folder. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

// From .test/test/, where this file runs.
const SRC = fileURLToPath(new URL("../../src", import.meta.url));
/** What follows `from`, or `import` of a side effect or at run time; types count too. */
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)"([^"]+)"/g;

/** Return the files that each file imports, by their paths in src/. */
function readImports(): Map<string, string[]> {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
  return new Map(
    files.map((path) => {
      const file = join(SRC, path);
      const names = [...readFileSync(file, "utf8").matchAll(IMPORT)].map(([, name]) => name!.replace(/\?.*$/, ""));
      const local = names.filter((name) => name.startsWith(".") && /\.[jt]s$/.test(name));
      return [path, local.map((name) => relative(SRC, resolve(dirname(file), name)).replace(/\.js$/, ".ts"))];
    }),
  );
}

/** Return a circle of imports as the files along it, or null. */
function findCircle(imports: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>();
  const walk = (file: string, path: string[]): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return null;
    for (const next of imports.get(file) ?? []) {
      const circle = walk(next, [...path, file]);
      if (circle) return circle;
    }
    done.add(file);
    return null;
  };
  for (const file of imports.keys()) {
    const circle = walk(file, []);
    if (circle) return circle;
  }
  return null;
}

test("no circle of imports, not even of types", () => {
  assert.deepEqual(findCircle(readImports()), null);
});

test("a circle would be found", () => {
  const imports = new Map([["a", ["b", "c"]], ["b", []], ["c", ["d"]], ["d", ["c"]]]);
  assert.deepEqual(findCircle(imports), ["c", "d", "c"]);
});

test("every import of a file of src/ is known", () => {
  const imports = readImports();
  assert.ok(imports.size > 30 && imports.get("main.ts")!.length > 15, "the imports were not read");
  for (const [file, names] of imports) for (const name of names) assert.ok(imports.has(name), `${file}: ${name}`);
});

test("the client imports nothing but its own folder, and no controls are below the figures and the scene", () => {
  for (const [file, names] of readImports()) {
    const folder = file.split("/")[0]!;
    for (const name of names) {
      if (folder === "client") assert.match(name, /^client\//, file);
      if (folder === "figures" || folder === "scene") assert.doesNotMatch(name, /^(ui|music|app|character-view)\b/, file);
    }
  }
});
