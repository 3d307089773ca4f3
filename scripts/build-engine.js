// Builds the engine into one self-contained file, dist/engine.cjs, which is what travels to hosts that have only Node.
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

/**
 * What most sites never need, or not before they are ready, is in the file as a text that is compiled when the first of
 * its functions is called: V8 passes over a text far faster than over code. Such a module is named `*.deferred.ts` and
 * exports only functions; it gets copies of all that it imports, so that must hold no state.
 * @type {import('esbuild').Plugin}
 */
const deferred = {
  name: 'deferred',
  setup(engine) {
    engine.onLoad({ filter: /\.deferred\.ts$/ }, async ({ path }) => {
      const { outputFiles, metafile } = await build({
        ...common,
        entryPoints: [path],
        write: false,
        metafile: true,
        format: 'cjs',
      });
      // A CommonJS bundle does not tell its exports; as an ES module the same does.
      const esm = await build({
        ...common,
        entryPoints: [path],
        write: false,
        metafile: true,
        format: 'esm',
        outfile: 'x.js',
      });
      const [{ exports: names }] = Object.values(esm.metafile.outputs);
      const [name] = Object.keys(metafile.inputs).slice(-1);
      const wrapped = `(function(module,exports,require){${outputFiles[0].text}\n})`;
      const contents = [
        `import { runInThisContext } from 'node:vm';`,
        `const text = ${JSON.stringify(wrapped)};`,
        `let loaded;`,
        `const load = () => {`,
        `  if (!loaded) {`,
        `    const module = { exports: {} };`,
        `    runInThisContext(text, { filename: ${JSON.stringify(`offsite:${name}`)} })(module, module.exports, require);`,
        `    loaded = module.exports;`,
        `  }`,
        `  return loaded;`,
        `};`,
        ...names.map((each) => `export const ${each} = (...args) => load().${each}(...args);`),
      ];
      return { contents: contents.join('\n'), loader: 'js' };
    });
  },
};

await build({ ...common, entryPoints: [entry], outfile, plugins: [deferred] });
