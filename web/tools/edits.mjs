// Applies the editor's edits to workflows, for tests in other languages: reads {definitions, cases: [{edit, arguments}]}
// from standard input and writes the results as JSON. An argument {"set": [...]} stands for a set.
import { dirname } from "node:path";
import { stdin, stdout } from "node:process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";

const { definitions, cases } = JSON.parse(await text(stdin));
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const server = await createServer({
  root,
  configFile: false,
  logLevel: "error",
  server: { middlewareMode: true, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true },
  appType: "custom",
});
const known = new Map(definitions.map((each) => [each.id, each]));
const edits = {};
for (const name of ["subgraphs", "moving", "movingOut", "library", "interface", "loops", "loopOptions", "splice"]) {
  Object.assign(edits, await server.ssrLoadModule(`/src/graph/${name}.ts`));
}
const argument = (value) => (value?.set ? new Set(value.set) : value === "definitions" ? known : value);
const results = cases.map(({ edit, arguments: given }) => edits[edit](...given.map(argument)));
stdout.write(JSON.stringify(results, (_key, value) => (value instanceof Set ? [...value] : value)));
await server.close();
