/**
 * The built program: one file for what each command needs, instead of a hundred to look up at every start. It holds the two
 * packages that every check loads; the others stay packages, loaded where they are used. Measured in docs/performance.md.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'rolldown';
import own from './package.json' with { type: 'json' };
import { probes } from './src/cli/registry.ts';
import { bundledSpecs, loadSpec } from './src/load/spec.ts';

const bundled = ['valibot', 'yaml'];

export default defineConfig({
  input: ['src/main.ts', 'src/index.ts', 'src/net/connect-thread.ts'],
  platform: 'node',
  external: Object.keys(own.dependencies).filter((name) => !bundled.includes(name)),
  plugins: [licenses(), specs()],
  output: { dir: 'dist/src' },
});

/** Their licenses go where their code goes. */
function licenses(): Plugin {
  return {
    name: 'licenses',
    generateBundle() {
      const texts = bundled.map((name) => {
        const [file = `node_modules/${name}: no LICENSE`] = globSync(join('node_modules', name, 'LICENSE*'));
        return `${name}\n\n${readFileSync(file, 'utf8')}`;
      });
      this.emitFile({ type: 'asset', fileName: 'licenses.txt', source: texts.join('\n') });
    },
  };
}

/** The requirement tables, parsed and found good: `loadSpec` takes them while the YAML is the same. */
function specs(): Plugin {
  return {
    name: 'specs',
    async generateBundle() {
      for (const name of bundledSpecs()) {
        // oxlint-disable-next-line no-await-in-loop
        const source = JSON.stringify(await loadSpec(name, probes));
        this.emitFile({ type: 'asset', fileName: `${name}.json`, source });
        this.emitFile({ type: 'asset', fileName: `${name}.yaml`, source: readFileSync(`specs/${name}.yaml`) });
      }
    },
  };
}
