/**
 * What an agent has to send, on its disk until the stream has it: one file for each run, named by its place in the order. What
 * the stream has acknowledged is kept for a day beside it, and offered again where the stream has forgotten what it had (a
 * power cut may do that): the hub knows each run by its id.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { uptime } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { readTextIfThere } from '../load/read-file.ts';
import { writeFileWhole } from './files.ts';

export type Kind = 'full' | 'beat';

const HeadShape = v.object({
  id: v.string(),
  verdicts: v.string(),
  /** Seconds between two runs of these rows. */
  every: v.number(),
  madeAt: v.object({ boot: v.string(), upMs: v.number(), wall: v.number() }),
});
type Head = v.InferOutput<typeof HeadShape>;

export interface Parcel extends Omit<Head, 'madeAt'> {
  readonly file: string;
  readonly kind: Kind;
  readonly body: Uint8Array;
  /** How long ago it was made, by a clock that nobody sets. */
  readonly ageMs: number;
}

export interface OutboxLimits {
  readonly maxBytes: number;
  readonly keepMs: number;
}

const usual: OutboxLimits = { maxBytes: 64 * 1024 * 1024, keepMs: 86_400_000 };

interface Entry {
  readonly name: string;
  readonly kind: Kind;
  readonly bytes: number;
  readonly wrote: number;
}

export class AgentOutbox {
  readonly #folder: string;
  readonly #sent: string;
  readonly #limits: OutboxLimits;
  #next: number;
  /** Of the stream, as it was acknowledged last. */
  #sequence = 0;
  #dropped = 0;

  constructor(folder: string, limits: OutboxLimits = usual) {
    this.#folder = folder;
    this.#sent = join(folder, 'sent');
    this.#limits = limits;
    mkdirSync(this.#sent, { recursive: true, mode: 0o700 });
    const last = [...entries(this.#folder), ...entries(this.#sent)].map(({ name }) => Number.parseInt(name, 10));
    this.#next = Math.max(0, ...last) + 1;
  }

  get waiting(): number {
    return entries(this.#folder).length;
  }

  /** Runs that were given up, since there was no room or they got too old. */
  get dropped(): number {
    return this.#dropped;
  }

  put(kind: Kind, { id, verdicts, every }: Pick<Head, 'id' | 'verdicts' | 'every'>, body: Uint8Array): void {
    const head: Head = { id, verdicts, every, madeAt: now() };
    const name = `${String(this.#next++).padStart(12, '0')}.${kind}`;
    writeFileWhole(join(this.#folder, name), Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body]), 0o600);
    this.#tidy();
  }

  /** The oldest one; null where there is none. What cannot be read is thrown away. */
  first(): Parcel | null {
    for (const { name, kind } of entries(this.#folder)) {
      const file = join(this.#folder, name);
      const parcel = parcelOf(file, kind);
      if (parcel) return parcel;
      rmSync(file, { force: true });
    }
    return null;
  }

  /** `sequence`: its place in the stream. A lower one than before means that the stream has forgotten. */
  delivered({ file }: Parcel, sequence: number): void {
    const isRolledBack = sequence < this.#sequence;
    this.#sequence = sequence;
    const name = file.slice(this.#folder.length + 1);
    renameSync(file, join(this.#sent, name));
    if (isRolledBack)
      for (const each of entries(this.#sent))
        if (each.name !== name) renameSync(join(this.#sent, each.name), join(this.#folder, each.name));
    this.#tidy();
  }

  giveUp({ file }: Parcel): void {
    rmSync(file, { force: true });
    this.#dropped += 1;
  }

  /** What was sent goes first, then what says that nothing changed, then the oldest. */
  #tidy(): void {
    const { maxBytes, keepMs } = this.#limits;
    const old = Date.now() - keepMs;
    const sent = entries(this.#sent);
    const waiting = entries(this.#folder);
    const drop = (folder: string, { name }: Entry): void => rmSync(join(folder, name), { force: true });
    for (const each of sent) if (each.wrote < old) drop(this.#sent, each);
    for (const each of waiting.filter(({ wrote }) => wrote < old)) {
      drop(this.#folder, each);
      this.#dropped += 1;
    }
    let bytes = [...sent, ...waiting].reduce((sum, each) => sum + each.bytes, 0);
    const newest = waiting.at(-1)?.name;
    const inOrder = [
      ...sent.map((each) => [this.#sent, each] as const),
      ...waiting.filter(({ kind }) => kind === 'beat').map((each) => [this.#folder, each] as const),
      ...waiting.filter(({ kind }) => kind === 'full').map((each) => [this.#folder, each] as const),
    ];
    for (const [folder, each] of inOrder) {
      if (bytes <= maxBytes) break;
      if (each.name === newest) continue;
      drop(folder, each);
      bytes -= each.bytes;
      if (folder === this.#folder) this.#dropped += 1;
    }
  }
}

function entries(folder: string): Entry[] {
  return readdirSync(folder)
    .toSorted()
    .flatMap((name): Entry[] => {
      if (!/^\d{12}\.(?:full|beat)$/.test(name)) return [];
      const kind: Kind = name.endsWith('full') ? 'full' : 'beat';
      const found = statSync(join(folder, name), { throwIfNoEntry: false });
      return found ? [{ name, kind, bytes: found.size, wrote: found.mtimeMs }] : [];
    });
}

function parcelOf(file: string, kind: Kind): Parcel | null {
  try {
    const bytes = readFileSync(file);
    const end = bytes.indexOf(10);
    const { madeAt, ...head } = v.parse(HeadShape, JSON.parse(bytes.subarray(0, end).toString('utf8')));
    return { ...head, file, kind, body: bytes.subarray(end + 1), ageMs: ageOf(madeAt) };
  } catch {
    return null;
  }
}

const boot = readTextIfThere('/proc/sys/kernel/random/boot_id').trim();
const now = (): Head['madeAt'] => ({ boot, upMs: uptime() * 1000, wall: Date.now() });

/** By the time since the machine started, which nobody sets; over a restart of the machine only by its clock. */
function ageOf(madeAt: Head['madeAt']): number {
  const { upMs, wall } = now();
  const ms = madeAt.boot === boot && boot !== '' ? upMs - madeAt.upMs : wall - madeAt.wall;
  return Math.max(0, Math.round(ms));
}
