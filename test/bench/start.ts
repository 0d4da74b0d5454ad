/** What one check costs whoever calls this from a script: the whole process, built, beside an empty one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeBundle } from '../../packaging/bundle.ts';
import { atMost, linesOf, ratio, type Benchmark } from './kit/benchmark.ts';
import { contest } from './kit/contest.ts';
import { put, reference, whyNot, xenreach } from './kit/tools.ts';
import { specOf } from './whole-check.ts';

export const start: Benchmark = {
  name: 'start',
  about:
    '`xenreach --version` and a check of one TCP row beside `node -e 0`; the portable folder beside its program on this Node',
  async run({ rounds }) {
    const skipped = whyNot();
    if (skipped !== undefined) return { skipped };
    const spec = put('start-spec.yaml', specOf('10000-10000'));
    // What other benchmarks run of the same command is not what this one runs.
    const env = { NODE_COMPILE_CACHE: mkdtempSync(join(tmpdir(), 'xenreach-start-')) };
    const site = put('start-site.yaml', 'name: bench\nvantage: [prober]\nroles: { server: 127.1.0.1 }\n');
    const out = mkdtempSync(join(tmpdir(), 'xenreach-folder-'));
    const { folder } = await makeBundle({ out, level: null });
    const check = ['check', '--spec', spec, '--site', site];
    const inside = [process.execPath, join(folder, 'app/dist/src/main.js'), ...check];
    const runs = await contest({
      rounds: rounds * 3,
      contenders: [
        { name: 'node -e 0', argv: [process.execPath, '-e', '0'] },
        { name: 'xenreach --version', argv: [...xenreach(), '--version'], env },
        { name: 'xenreach check', argv: [...xenreach(), ...check], env },
        { name: 'folder check', argv: [join(folder, 'xenreach'), ...check], env },
        { name: 'folder check, this Node', argv: inside, env },
      ],
      prepare: (space) => space.serve([reference('tcp-server'), '10000', '1']),
    });
    for (const made of [env.NODE_COMPILE_CACHE, out]) rmSync(made, { recursive: true });
    const times = (name: string, beside = 'node -e 0'): number => ratio(runs, name, beside, ({ wallMs }) => wallMs);
    return {
      figures: [
        atMost('--version / node -e 0', times('xenreach --version'), 1.4),
        atMost('check / node -e 0', times('xenreach check'), 2.2),
        atMost('portable folder / its program on this Node', times('folder check', 'folder check, this Node'), 1.2),
      ],
      table: linesOf(runs, 1),
    };
  },
};
