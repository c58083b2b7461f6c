// Builds the phone page into dist/, which is committed and embedded into the backend's binary.
// The same sources must give the same bytes: no dates, no absolute paths, one pinned bundler.
// With --tests, bundles the unit tests into build/ instead, so that any Node from 20 on can run them.

import { build } from "esbuild";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL(".", import.meta.url));

/** Where the backend serves dist/assets; index.html is served at several paths, so its links are absolute. */
const ASSETS = "/phone/assets";

const MAIN = "src/main.tsx";
const WORKLET = "src/audio/capture.worklet.ts";

const shared = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  jsx: "automatic",
  jsxImportSource: "preact",
  target: "es2022",
  logLevel: "warning",
};

if (process.argv.includes("--tests")) {
  await buildTests();
} else {
  await buildPage();
}

async function buildTests() {
  const names = (await readdir(join(root, "test"))).filter((name) => name.endsWith(".test.ts"));
  await rm(join(root, "build"), { recursive: true, force: true });
  await build({
    ...shared,
    entryPoints: names.map((name) => `test/${name}`),
    platform: "node",
    outdir: "build",
    outExtension: { ".js": ".mjs" },
  });
}

async function buildPage() {
  const dist = join(root, "dist");
  await rm(dist, { recursive: true, force: true });
  await mkdir(join(dist, "assets"), { recursive: true });

  const page = { ...shared, minify: true, legalComments: "none", metafile: true, outdir: "dist/assets" };

  // A worklet is loaded by URL, not by import, so it is built first and its name is handed to the page.
  const worklet = outputOf(
    await build({ ...page, entryPoints: [WORKLET], entryNames: "capture-[hash]" }),
    WORKLET,
  );
  const icon = await copyHashed("src/icon.svg", dist);
  const main = outputOf(
    await build({
      ...page,
      entryPoints: [MAIN],
      entryNames: "phone-[hash]",
      chunkNames: "[name]-[hash]",
      splitting: true,
      define: { CAPTURE_WORKLET_URL: JSON.stringify(`${ASSETS}/${worklet.script}`) },
    }),
    MAIN,
  );

  const html = await readFile(join(root, "src/index.html"), "utf8");
  const links = {
    "%ICON%": icon,
    "%STYLE%": main.style,
    "%SCRIPT%": main.script,
  };
  const filled = html.replace(/%[A-Z]+%/g, (slot) => `${ASSETS}/${links[slot]}`);
  await writeFile(join(dist, "index.html"), filled);
}

/** The file that the build made of an entry point. */
function outputOf(result, entryPoint) {
  for (const [path, output] of Object.entries(result.metafile.outputs)) {
    if (output.entryPoint === entryPoint) return { script: basename(path), style: basename(output.cssBundle ?? "") };
  }
  throw new Error(`nothing was built of ${entryPoint}`);
}

/** Copies a file into dist/assets under a name that carries its content's hash. */
async function copyHashed(path, dist) {
  const bytes = await readFile(join(root, path));
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 8).toUpperCase();
  const [stem, extension] = basename(path).split(".");
  const name = `${stem}-${hash}.${extension}`;
  await writeFile(join(dist, "assets", name), bytes);
  return name;
}
