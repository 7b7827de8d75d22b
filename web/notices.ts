/** Writes down the licences of the packages that are bundled, which ask for that. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

interface Manifest {
  name?: string;
  version?: string;
  license?: string;
}

const NAMES = /^(licen[cs]e|notice|copying)([.-].*)?$/i;

function manifestOf(folder: string): Manifest {
  const file = join(folder, "package.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Manifest) : {};
}

/** The folder of the package that a module belongs to; null where it is of no package. */
function packageOf(module: string): string | null {
  if (!module.includes("/node_modules/")) return null;
  let folder = dirname(module.replace(/^\0|\?.*$/g, ""));
  while (!manifestOf(folder).name && dirname(folder) !== folder) folder = dirname(folder);
  return manifestOf(folder).name ? folder : null;
}

function noticeOf(folder: string): string {
  const { name, version, license } = manifestOf(folder);
  const texts = readdirSync(folder)
    .filter((file) => NAMES.test(file))
    .map((file) => readFileSync(join(folder, file), "utf8").trim());
  return [`${name ?? ""} ${version ?? ""} (${license ?? "no licence named"})`, ...texts].join("\n\n");
}

export function notices(): Plugin {
  return {
    name: "notices",
    apply: "build",
    generateBundle() {
      const folders = new Set([...this.getModuleIds()].map(packageOf).filter((each) => each !== null));
      const texts = [...folders].map(noticeOf).sort();
      const source = `The editor contains these packages.\n\n${texts.join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
      this.emitFile({ type: "asset", fileName: "THIRD_PARTY.txt", source });
    },
  };
}
