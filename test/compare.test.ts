import { describe, expect, test } from 'vitest';
import { atMost, type Told } from './bench/kit/benchmark.ts';
import { compared, savedFrom, wasText } from './bench/kit/compare.ts';

const line = { name: 'ours', rate: 100, from: 90, to: 110, cpuPer10k: 0.4, peakMiB: 50, note: '' };
const told: Told = { figures: [atMost('seconds', 1.5, 2), atMost('MiB', 60, 90)], table: [line] };
const asSaved = (each: object): string => JSON.stringify([{ name: 'start', figure: 1, met: true, ...each }]);

describe('bench --compare', () => {
  test('puts what a saved run had beside each figure and line of the same name', () => {
    const saved = savedFrom(
      asSaved({ figures: [{ of: 'seconds', figure: 2 }], table: [{ ...line, rate: 80, cpuPer10k: 0.5 }] }),
    );
    expect(compared('start', told, saved)).toMatchObject({
      figures: [{ of: 'seconds', figure: 1.5, was: 2 }, { of: 'MiB' }],
      table: [{ rate: 100, was: { rate: 80, cpuPer10k: 0.5 } }],
    });
    expect(compared('watch', told, saved)).toBe(told);
    expect(compared('start', told, savedFrom(JSON.stringify([{ name: 'start', skipped: 'no nmap' }])))).toEqual(told);
  });

  test('passes over the lines that npm prints first', () => {
    expect(savedFrom('\n> xenreach@0.2.0 bench\n> sh .ci/setup bench\n\n[]\n')).toEqual([]);
  });

  test('leaves what was skipped now as it is', () => {
    const skipped = { skipped: 'this needs nmap' };
    expect(compared('start', skipped, savedFrom(asSaved({ figures: [] })))).toBe(skipped);
  });

  test('says by how much', () => {
    expect([wasText(1.5, 2), wasText(2, 2), wasText(3, 2), wasText(3, 0), wasText(3, undefined)]).toEqual([
      ', was 2 (−25 %)',
      ', was 2 (+0 %)',
      ', was 2 (+50 %)',
      ', was 0',
      '',
    ]);
  });

  test.each(['', '{', '{}', '[{}]', '[{"name":"start","figures":[{"of":1}]}]'])('refuses %j', (text) => {
    expect(() => savedFrom(text)).toThrow(/^it is not (JSON|what `npm run bench -- --json` prints)$/);
  });
});
