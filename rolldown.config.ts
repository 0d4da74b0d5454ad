/**
 * The built program: one file for what commands need, instead of a hundred to look up at every start. It holds the two
 * packages that every check loads; the others stay packages, loaded where they are used. It is built twice: as modules for
 * programs that import it, and as scripts for src/built.ts to start. Measured in docs/performance.md.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin, type RolldownOptions } from 'rolldown';
import own from './package.json' with { type: 'json' };
import { probes } from './src/check/registry.ts';
import { builtName, pythonSource } from './src/respond/python.ts';
import { bundledSpecs, loadSpec } from './src/load/spec.ts';

export const bundledPackages: readonly string[] = ['valibot', 'yaml'];

const common = {
  platform: 'node',
  // With what lies below a package's name, such as hono/compress.
  external: Object.keys(own.dependencies)
    .filter((name) => !bundledPackages.includes(name))
    .map((name) => new RegExp(`^${name}(?:/|$)`)),
  // `yaml` keeps its ES modules for browsers; of the others nothing could be left out.
  resolve: { alias: { yaml: join(import.meta.dirname, 'node_modules/yaml/browser/dist/index.js') } },
} satisfies RolldownOptions;

export default defineConfig([
  {
    ...common,
    input: { index: 'src/index.ts', main: 'src/built.ts', 'connector-thread': 'src/net/connector-thread.ts' },
    plugins: [licenses(), specs(), python()],
    output: { dir: 'dist/src' },
  },
  {
    ...common,
    input: { program: 'src/main.ts' },
    plugins: [ascii()],
    output: {
      dir: 'dist/src',
      format: 'cjs',
      entryFileNames: '[name].cjs',
      chunkFileNames: '[name]-[hash].cjs',
      // A script that Node did not load itself cannot import without a warning.
      dynamicImportInCjs: false,
      // What is read at every start holds code alone.
      comments: false,
      // A group holds what its modules import, too, but for what they import only when they need it: the first is what
      // every start loads, the second what every check does.
      codeSplitting: {
        groups: [
          { name: 'start', test: /\/src\/(?:cli\/(?:main|early-signals)|compile-cache)\.ts$/, priority: 2 },
          { name: 'check', test: /\/src\/cli\/(?:check|options)\.ts$|\/node_modules\/yaml\//, priority: 1 },
        ],
      },
    },
  },
  // A thread loads this and nothing else.
  {
    ...common,
    input: { 'connector-thread': 'src/net/connector-thread.ts' },
    output: { dir: 'dist/src', format: 'cjs', entryFileNames: '[name].cjs' },
  },
]);

/** Their licenses go where their code goes. */
function licenses(): Plugin {
  return {
    name: 'licenses',
    generateBundle() {
      const texts = bundledPackages.map((name) => {
        const [file = `node_modules/${name}: no LICENSE`] = globSync(join('node_modules', name, 'LICENSE*'));
        return `${name}\n\n${readFileSync(file, 'utf8')}`;
      });
      this.emitFile({ type: 'asset', fileName: 'licenses.txt', source: texts.join('\n') });
    },
  };
}

/** Text of one byte a character is read as it lies on the disk: 2 ms less than what must be decoded (src/built.ts). */
function ascii(): Plugin {
  const escaped = (char: string): string => String.raw`\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return {
    name: 'ascii',
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle))
        if (chunk.type === 'chunk') chunk.code = chunk.code.replaceAll(/[^\0-\x7f]/g, escaped);
    },
  };
}

/** The responder for machines without Node, which is printed and not run. */
function python(): Plugin {
  return {
    name: 'python',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: builtName, source: pythonSource() });
    },
  };
}

/** The requirement tables, parsed and found good: `loadSpec` takes them while the YAML is the same. */
function specs(): Plugin {
  return {
    name: 'specs',
    async generateBundle() {
      for (const name of bundledSpecs()) {
        const source = JSON.stringify(await loadSpec(name, probes));
        this.emitFile({ type: 'asset', fileName: `${name}.json`, source });
        this.emitFile({ type: 'asset', fileName: `${name}.yaml`, source: readFileSync(`specs/${name}.yaml`) });
      }
    },
  };
}
