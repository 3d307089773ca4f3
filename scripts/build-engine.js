// Builds the engine into one self-contained file, dist/engine.cjs, which is what travels to hosts that have only Node.
import { writeFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { build } from 'esbuild';

const entry = 'lib/engine/main.ts';
const outfile = 'dist/engine.cjs';

/** @satisfies {import('esbuild').BuildOptions} */
const common = {
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  logLevel: 'warning',
};

/*
 * What most sites never need, or not before they are ready, is in the file as a text that is compiled when the first of
 * its functions is called: V8 passes over a text far faster than over code. Such a module is named `*.deferred.ts` and
 * exports only functions. Each of our modules is in the file once: what the text shares with the rest, or with another
 * text, it gets from there, so that classes and state are the same ones.
 */
const DEFERRED = /\.deferred\.ts$/;

/** @param {string} path */
const nameOf = (path) => relative('.', path);

/** @param {string} file @returns {Promise<string[]>} */
const exportsOf = async (file) => {
  const { metafile } = await build({
    ...common,
    entryPoints: [file],
    write: false,
    metafile: true,
    format: 'esm',
    packages: 'external',
    outfile: 'x.js',
  });
  return Object.values(metafile.outputs)[0]?.exports ?? [];
};

/**
 * Leaves the modules that `isShared` out of a text, which asks for them by their names.
 * @param {string} file
 * @param {(name: string) => boolean} isShared
 */
const textOf = async (file, isShared) => {
  /** @type {Set<string>} */
  const asked = new Set();
  const { outputFiles, metafile } = await build({
    ...common,
    entryPoints: [file],
    write: false,
    metafile: true,
    plugins: [
      {
        name: 'shared',
        setup(text) {
          text.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, importer }) => {
            const name = nameOf(resolve(dirname(importer), path));
            if (!isShared(name)) return undefined;
            asked.add(name);
            return { path: name, external: true };
          });
        },
      },
    ],
  });
  const text = outputFiles[0]?.text ?? '';
  // Not by `require`, which is for what Node.js has.
  const shares = text.replaceAll(/\brequire\("(lib\/[^"]+\.ts)"\)/g, 'shared["$1"]');
  return { text: shares, inputs: Object.keys(metafile.inputs), asked: [...asked] };
};

/**
 * The engine's own module in place of a deferred one; `wrapped` is its text, and `asked` what that shares.
 * @param {string} file
 * @param {string} wrapped
 * @param {string[]} asked
 */
const standIn = async (file, wrapped, asked) => [
  `import { runInThisContext } from 'node:vm';`,
  ...asked.map((name, i) => `import * as shared${i} from ${JSON.stringify(resolve(name))};`),
  `const text = ${JSON.stringify(wrapped)};`,
  `let loaded;`,
  `const load = () => {`,
  `  if (!loaded) {`,
  `    const shared = { ${asked.map((name, i) => `${JSON.stringify(name)}: shared${i}`).join(', ')} };`,
  `    const module = { exports: {} };`,
  `    const run = runInThisContext(text, { filename: ${JSON.stringify(`offsite:${file}`)} });`,
  `    run(module, module.exports, require, shared);`,
  `    loaded = module.exports;`,
  `  }`,
  `  return loaded;`,
  `};`,
  ...(await exportsOf(file)).map((each) => `export const ${each} = (...args) => load().${each}(...args);`),
];

/** @typedef {Awaited<ReturnType<typeof textOf>>} Text */

/**
 * The engine with these texts in it.
 * @param {Map<string, Text>} texts
 */
const engineWith = async (texts) => {
  const { metafile, outputFiles } = await build({
    ...common,
    entryPoints: [entry],
    metafile: true,
    write: false,
    outfile,
    plugins: [
      {
        name: 'deferred',
        setup(engine) {
          engine.onLoad({ filter: DEFERRED }, async ({ path }) => {
            const { text, asked } = texts.get(nameOf(path)) ?? { text: '', asked: [] };
            const wrapped = `(function(module,exports,require,shared){${text}\n})`;
            return { contents: (await standIn(nameOf(path), wrapped, asked)).join('\n'), loader: 'js' };
          });
        },
      },
    ],
  });
  return { code: outputFiles[0]?.contents ?? '', inputs: Object.keys(metafile.inputs) };
};

/**
 * The texts of all deferred modules that the engine needs, and how often each module that is not `inside` is in one.
 * @param {ReadonlySet<string>} inside
 */
const textsFor = async (inside) => {
  /** @type {Map<string, Text>} */
  const texts = new Map();
  /** @type {Map<string, number>} */
  const uses = new Map();
  const files = new Set([...inside].filter((name) => DEFERRED.test(name)));
  for (const file of files) {
    const text = await textOf(file, (name) => name !== file && (inside.has(name) || DEFERRED.test(name)));
    texts.set(file, text);
    for (const name of text.asked) if (DEFERRED.test(name)) files.add(name);
    for (const name of text.inputs) uses.set(name, (uses.get(name) ?? 0) + 1);
  }
  return { texts, uses };
};

/** What is in the engine itself: what it needs at once, and what more than one text needs. */
let inside = new Set((await engineWith(new Map())).inputs);
for (;;) {
  const { texts, uses } = await textsFor(inside);
  const { code, inputs } = await engineWith(texts);
  const repeated = [...uses].filter(([, count]) => count > 1).map(([name]) => name);
  const next = new Set([...inputs, ...repeated]);
  if (next.size === inside.size) {
    await writeFile(outfile, code);
    break;
  }
  inside = next;
}
