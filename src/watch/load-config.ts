/** Reads the file of `xenreach watch`: strictly, every fault with its place, every secret from a file that others cannot read. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { homedir } from 'node:os';
import * as v from 'valibot';
import { throwIfAny, type Fault } from '../load/faults.ts';
import { didYouMean } from '../load/nearest.ts';
import { readFile, readSecret } from '../load/read-file.ts';
import { shapeFaults } from '../load/shape.ts';
import { parseYaml, type YamlDocument } from '../load/yaml.ts';
import { UsageError } from '../model/errors.ts';
import type { LoadedSpec } from '../model/spec.ts';
import { isLoopback, splitListen } from './listen.ts';
import { WatchFile, type NotifyEntry } from './config.ts';
import { maintenanceFaults } from './maintenance.ts';

const defaultConfig = '/etc/xenreach/watch.yaml';

/** A notifier with its secret read. */
export type Notifier =
  | { readonly kind: 'webhook'; readonly url: string; readonly secret: string }
  | { readonly kind: 'alertmanager'; readonly urls: readonly string[]; readonly token: string | null }
  | {
      readonly kind: 'email';
      readonly to: readonly string[];
      readonly from: string;
      readonly smtp: string;
      readonly login: { readonly user: string; readonly password: string } | null;
    };

export interface InboxToken {
  readonly site: string;
  readonly token: string;
}

/** What may be shown stands in `file`; the rest was read from where it says. */
export interface WatchConfig {
  /** Null: there is none, and all is as the defaults say. */
  readonly path: string | null;
  readonly file: WatchFile;
  readonly site: string | null;
  readonly historyFile: string;
  readonly notifiers: readonly Notifier[];
  readonly auth: { readonly username: string; readonly password: string } | null;
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly inbox: {
    readonly folder: string | null;
    readonly tokens: readonly InboxToken[];
    readonly staleMs: number;
  } | null;
}

/** `named`: what the command line says; without it the usual file where it is, else the defaults. */
export async function readConfig(
  named: string | undefined,
): Promise<WatchConfig & { readonly places: YamlDocument | null }> {
  const path = named ?? (existsSync(defaultConfig) ? defaultConfig : null);
  const places = path === null ? null : await parseYaml(readFile(path), path);
  const value = places?.value ?? {};
  const faults = shapeFaults(WatchFile, value);
  if (places) throwIfAny(faults, places);
  const file = v.parse(WatchFile, value);
  const folder = path === null ? '.' : dirname(resolve(path));
  const at = (name: string): string => resolve(folder, name);
  if (places) throwIfAny(await ownFaults(file), places);
  return {
    path,
    places,
    file,
    site: file.site === undefined ? null : at(file.site),
    historyFile: file.history.file === undefined ? defaultHistory() : at(file.history.file),
    notifiers: file.notify.map((entry, i) => notifierOf(entry, `notify[${i}]`, at)),
    auth: file.auth
      ? { username: file.auth.username, password: secretFrom(at(file.auth.passwordFile), 'auth.passwordFile') }
      : null,
    tls: file.tls ? { cert: textOf(at(file.tls.cert)), key: keyFrom(at(file.tls.key)) } : null,
    inbox: file.inbox
      ? {
          folder: file.inbox.folder === undefined ? null : at(file.inbox.folder),
          tokens: file.inbox.tokens === undefined ? [] : tokensFrom(at(file.inbox.tokens)),
          staleMs: file.inbox.stale,
        }
      : null,
  };
}

/** Rows and sections that the spec does not have. */
export function holdAgainst(
  { file, places }: { file: WatchFile; places: YamlDocument | null },
  spec: LoadedSpec,
): void {
  if (!places) return;
  const rows = spec.rows.map(({ id }) => id);
  const sections = Object.keys(spec.sections);
  const unknown = (path: Fault['path'], kind: string, word: string, known: readonly string[]): Fault[] =>
    known.includes(word)
      ? []
      : [{ path, atKey: true, text: `no ${kind} is called "${word}"${didYouMean(word, known)}` }];
  throwIfAny(
    [
      ...Object.keys(file.rows).flatMap((id) => unknown(['rows', id], 'row', id, rows)),
      ...Object.keys(file.sections).flatMap((id) => unknown(['sections', id], 'section', id, sections)),
      ...file.maintenance.flatMap((entry, i) =>
        (entry.rows ?? []).flatMap((id, j) => unknown(['maintenance', i, 'rows', j], 'row', id, rows)),
      ),
    ],
    places,
  );
}

async function ownFaults(file: WatchFile): Promise<Fault[]> {
  const { host, port } = splitListen(file.listen);
  const isOpen = !isLoopback(host) && !file.behindProxy && (file.auth === undefined || file.tls === undefined);
  return [
    ...(port > 65_535 ? [{ path: ['listen'], text: `${port} is no port` }] : []),
    ...(isOpen
      ? [
          {
            path: ['listen'],
            text: `${host} can be reached from elsewhere, and the pages tell what is open and what is not; add auth: and tls:, or behindProxy: true where a proxy in front does both, or listen on 127.0.0.1`,
          },
        ]
      : []),
    ...file.notify.flatMap((entry, i): Fault[] =>
      'email' in entry && (entry.email.username === undefined) !== (entry.email.passwordFile === undefined)
        ? [{ path: ['notify', i, 'email'], text: 'username and passwordFile go together; add the other one' }]
        : [],
    ),
    ...(await maintenanceFaults(file.maintenance)),
  ];
}

function notifierOf(entry: NotifyEntry, where: string, at: (name: string) => string): Notifier {
  if ('webhook' in entry) {
    return { kind: 'webhook', url: entry.webhook, secret: secretFrom(at(entry.secretFile), `${where}.secretFile`) };
  }
  if ('alertmanager' in entry) {
    const token = entry.tokenFile === undefined ? null : secretFrom(at(entry.tokenFile), `${where}.tokenFile`);
    return { kind: 'alertmanager', urls: entry.alertmanager, token };
  }
  const { username, passwordFile, to, from, smtp } = entry.email;
  const login =
    username === undefined || passwordFile === undefined
      ? null
      : { user: username, password: secretFrom(at(passwordFile), `${where}.email.passwordFile`) };
  return { kind: 'email', to, from, smtp, login };
}

const [byGroup, byOthers] = [0o060, 0o006];

/** Of this user's or root's group it may be: systemd hands credentials over so. */
function refuseShared(path: string, what: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return;
  const isOwnGroup = found.gid === 0 || found.gid === process.getegid?.();
  const isShared = (found.mode & byOthers) !== 0 || (!isOwnGroup && (found.mode & byGroup) !== 0);
  if (isShared) {
    const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
    throw new UsageError(`${what} ${path}: others on this machine can read it (mode ${mode}); chmod 600 ${path}`);
  }
}

function secretFrom(path: string, what: string): string {
  refuseShared(path, what);
  return readSecret(path, what, { folders: undefined });
}

function keyFrom(path: string): string {
  refuseShared(path, 'tls.key');
  return textOf(path);
}

const textOf = (path: string): string => Buffer.from(readFile(path)).toString('utf8');

const maxTokens = 10_000;

/** A line each: SITE TOKEN. Blank lines and those that begin with # are passed over. */
function tokensFrom(path: string): InboxToken[] {
  refuseShared(path, 'inbox.tokens');
  const lines = textOf(path).split('\n');
  const tokens = lines.flatMap((line, i): InboxToken[] => {
    const words = line.trim().split(/\s+/);
    if (line.trim() === '' || line.trimStart().startsWith('#')) return [];
    const [site, token] = words;
    if (words.length !== 2 || site === undefined || token === undefined || token.length < 16)
      throw new UsageError(
        `${path}:${i + 1}:1 is not SITE TOKEN, the token of 16 characters or more (openssl rand -hex 24)`,
      );
    return [{ site, token }];
  });
  if (tokens.length > maxTokens) throw new UsageError(`${path}: has more than ${maxTokens} tokens`);
  return tokens;
}

/** Where this user's programs keep what they know. */
function defaultHistory(): string {
  const { XDG_STATE_HOME: state = '' } = process.env;
  if (state.startsWith('/')) return join(state, 'xenreach/history.db');
  if (process.geteuid?.() === 0) return '/var/lib/xenreach/history.db';
  return join(homedir(), '.local/state/xenreach/history.db');
}
