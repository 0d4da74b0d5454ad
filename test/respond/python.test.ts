/** The responder as one Python file: for 3.6, with its own library alone, and what the rows want written into it. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { pythonResponder, pythonSource } from '../../src/respond/python.ts';
import { python } from '../support/respond.ts';

const wanted = [{ transport: 'udp', port: 514, rows: ['syslog'] }] as const;
const printed = pythonResponder({
  ports: wanted,
  roles: ['syslog-server'],
  forMs: 60_000,
  from: ['192.0.2.0/24'],
  sources: [['192.0.2.1']],
});

const run = (program: string): string => execFileSync(python, ['-c', program], { input: printed, encoding: 'utf8' });

test('what the rows want is in it, and the rest is the file as it is', () => {
  expect(printed).toContain(
    `WANTED = json.loads('{"ports":[["udp",514,["syslog"]]],"roles":["syslog-server"],"for":60,"from":["192.0.2.0/24"],"sources":[["192.0.2.1"]]}')`,
  );
  const rest = (text: string): string => text.replace(/^WANTED = .*$/m, '');
  expect(rest(printed)).toBe(rest(pythonSource()));
});

describe.skipIf(!existsSync(python))('Python', () => {
  test('3.6 can read it', () => {
    const program = 'import ast, sys; ast.parse(sys.stdin.read(), feature_version=(3, 6)); print("read")';
    expect(run(program)).toBe('read\n');
  });

  test('finds everything that it imports in its own library', () => {
    const program = `
import ast, sys
tree = ast.parse(sys.stdin.read())
names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
names |= {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
print(sorted(n for n in names if n.split(".")[0] not in sys.stdlib_module_names))`;
    expect(run(program)).toBe('[]\n');
  });

  test('says what is wrong with an option, and binds nothing in a dry run', () => {
    const args = (...argv: readonly string[]): string =>
      execFileSync(python, ['-', ...argv], { input: printed, encoding: 'utf8', stdio: 'pipe' });
    expect(() => args('--for', '5h')).toThrow(/5h is no duration up to 4h; write it like 90s or 15m/);
    expect(() => args('--from', 'nowhere')).toThrow(/--from: 'nowhere' does not appear to be an IPv4 or IPv6 network/);
    expect(args('--dry-run')).toMatch(/^ {2}(?:free|held) {3}udp 514 {2}syslog.*\nNothing was bound\.\n$/);
  });
});
