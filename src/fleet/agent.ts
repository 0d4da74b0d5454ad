/**
 * The agent: a watch without pages, whose runs go to the bus. It follows the newest revision of its site that it can believe,
 * goes on by it whatever happens to the bus, and says of itself what it follows and what it refuses.
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { prepareOffline } from '../check/prepare.ts';
import { version } from '../load/version.ts';
import { UsageError } from '../model/errors.ts';
import type { Report } from '../model/report.ts';
import { systemClock } from '../watch/clock.ts';
import { ulid } from '../watch/event.ts';
import { openKeeper } from '../watch/index.ts';
import type { Ingested, Subject } from '../watch/viewpoint.ts';
import { Watch } from '../watch/watch.ts';
import type { AgentConfig } from './agent-file.ts';
import { writeFileWhole } from './files.ts';
import { heartbeatSchema, lettersOf, type Heartbeat } from './heartbeat.ts';
import { AgentOutbox } from './outbox.ts';
import { readRevision, type Revision } from './revision.ts';

/** Reads a site file as the command line reads it, with what the revision says of intervals. Throws a UsageError. */
export type MakeSubject = (
  siteFile: string,
  revision: Revision,
) => Promise<Subject & { readonly prepare: NonNullable<Subject['prepare']> }>;

export interface AgentParts {
  readonly config: AgentConfig;
  readonly makeSubject: MakeSubject;
  readonly say: (text: string) => void;
  readonly stop: AbortSignal;
}

export interface Answer {
  readonly ok: boolean;
  readonly text: string;
  /** Somebody says that there is a new revision. */
  readonly looks?: true;
}

const fullEveryMs = 86_400_000;
/** Nobody makes it look more often than this. */
const runAtMostMs = 30_000;
const [leastNextMs, mostNextMs] = [5000, 300_000];

export class Agent {
  readonly outbox: AgentOutbox;
  readonly #parts: AgentParts;
  readonly #boot = randomBytes(4).toString('hex');
  readonly #listeners = new Set<() => void>();
  #watch: Watch | null = null;
  #running: Promise<void> | null = null;
  #revision: Revision | null = null;
  #refused: string | null = null;
  #n = 0;
  #beat: Pick<Heartbeat, 'run' | 'verdicts'> = { run: null, verdicts: '' };
  #full: { readonly id: string; readonly shape: string; readonly at: number } | null = null;
  #wantsFull = false;
  #askedAt = -Infinity;

  constructor(parts: AgentParts) {
    const { state } = parts.config;
    this.#parts = parts;
    mkdirSync(state, { recursive: true, mode: 0o700 });
    this.outbox = new AgentOutbox(join(state, 'outbox'));
  }

  /** Whenever there is something to send, until the returned function is called. */
  onNews(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get revision(): number {
    return this.#revision?.number ?? 0;
  }

  get nextMs(): number {
    return Math.min(mostNextMs, Math.max(leastNextMs, this.#everyMs()));
  }

  /** By what was followed last, before the bus is there. */
  async begin(): Promise<void> {
    const file = this.#file('revision.json');
    if (existsSync(file)) await this.take(readFileSync(file));
  }

  /** Until it has ended, or some seconds after it should have. */
  async ended(): Promise<void> {
    const late = new Promise<void>((resolve) => setTimeout(resolve, 3000).unref());
    await Promise.race([this.#running ?? Promise.resolve(), late]);
    this.#watch?.keeper.close();
  }

  /** A revision as it came. What cannot be followed is told, and changes nothing. */
  async take(bytes: Uint8Array): Promise<void> {
    const read = await readRevision(bytes, this.#parts.config.operators);
    const refused = 'refused' in read ? read.refused : await this.#follow(read.revision, bytes);
    if (refused !== null && refused !== this.#refused) this.#parts.say(`refused: ${refused}`);
    this.#refused = refused;
    this.#tell();
  }

  /** What it says of itself. */
  heartbeat(): Heartbeat {
    const { site, agent, as } = this.#parts.config;
    return {
      schema: heartbeatSchema,
      site,
      vantage: agent,
      roles: as,
      ...this.#beat,
      boot: this.#boot,
      n: this.#n,
      revision: this.revision,
      refused: this.#refused?.slice(0, 900) ?? null,
      full: this.#full?.id ?? null,
      next: this.nextMs / 1000,
      every: Math.max(1, this.#everyMs() / 1000),
      at: new Date().toISOString(),
      version: version(),
    };
  }

  /** What the hub or the operator asks for; nothing that it does not do by itself anyhow. */
  answer(data: Uint8Array): Answer {
    const asked = parsed(data);
    const now = performance.now();
    if (asked?.do === 'report') {
      this.#wantsFull = true;
      return { ok: true, text: 'the next run is sent as a whole report' };
    }
    if (asked?.do === 'look') return { ok: true, text: 'it looks for a new revision', looks: true };
    if (asked?.do !== 'run') return { ok: false, text: 'this agent does "run", "report" and "look", and nothing else' };
    if (!this.#watch) return { ok: false, text: 'it has no revision of its site yet' };
    if (now - this.#askedAt < runAtMostMs)
      return { ok: false, text: `it was asked less than ${runAtMostMs / 1000} s ago, and looks no more often` };
    this.#askedAt = now;
    this.#watch.runNow(asked.rows);
    return { ok: true, text: 'a round begins' };
  }

  /** Null where it is followed now. */
  async #follow(revision: Revision, bytes: Uint8Array): Promise<string | null> {
    const { config, say, stop } = this.#parts;
    if (revision.site !== config.site) return `the revision is for the site ${revision.site}`;
    if (revision.number < this.revision)
      return `revision ${revision.number} is older than ${this.revision}, which is followed`;
    if (revision.number === this.revision) {
      const isSame = readFileSync(this.#file('revision.json')).equals(bytes);
      return isSame ? null : `there is another revision ${revision.number} already`;
    }
    try {
      const subject = await this.#subjectOf(revision);
      if (this.#watch) await this.#watch.reload(subject, stop);
      else await this.#start(subject);
      this.#revision = revision;
      writeFileWhole(this.#file('revision.json'), bytes, 0o600);
      say(`follows revision ${revision.number} of ${revision.site}`);
      return null;
    } catch (error) {
      if (error instanceof UsageError) return `revision ${revision.number}: ${error.message}`;
      throw error;
    }
  }

  async #subjectOf(revision: Revision): Promise<Subject> {
    const { config, makeSubject } = this.#parts;
    const file = this.#file(`site-${revision.number}.yaml`);
    writeFileWhole(file, revision.yaml, 0o600);
    const subject = await makeSubject(file, revision);
    const { spec, site, vantage, settings, prepare } = subject;
    if (site.name !== revision.site) throw new UsageError(`its site file is of ${site.name}`);
    if (spec.id !== revision.spec.id || spec.sha256 !== revision.spec.sha256)
      throw new UsageError(
        `it was made for another ${revision.spec.id} than this xenreach ${version()} has: both must be of one version`,
      );
    const rows = new Set(spec.rows.map(({ id }) => id));
    const strange = Object.keys(revision.watch.rows ?? {}).find((row) => !rows.has(row));
    if (strange !== undefined) throw new UsageError(`it names the row ${strange}, which ${spec.id} does not have`);
    const selection = { as: config.as, rows: [], sections: [], roles: [] };
    const { plan } = prepareOffline({ spec, site, vantage, selection }, settings.run);
    this.#hold(subject, plan);
    return {
      ...subject,
      prepare: async (signal) => {
        const prepared = await prepare(signal);
        this.#hold(subject, prepared.plan);
        return prepared;
      },
    };
  }

  #hold({ site }: Subject, plan: Parameters<AgentConfig['reach']['outside']>[1]): void {
    const outside = this.#parts.config.reach.outside(site, plan);
    if (outside !== null) throw new UsageError(`it wants ${outside}, which reach: of this agent does not allow`);
  }

  async #start(subject: Subject): Promise<void> {
    const { say, stop } = this.#parts;
    const keeper = openKeeper(subject.config.historyFile, say);
    try {
      const watch = new Watch(subject, { clock: systemClock, keeper, say, onTaken: (_, taken) => this.#send(taken) });
      await watch.begin(stop);
      this.#watch = watch;
      this.#running = watch.run(stop);
    } catch (error) {
      keeper.close();
      throw error;
    }
  }

  /** Whole on a change, once a day and when somebody wants it; else a letter for each row. */
  #send({ report, rows, at }: Ingested): void {
    const { site, agent, as } = this.#parts.config;
    const id = ulid(at);
    const shape = shapeOf(report);
    const verdicts = lettersOf(report.rows, rows);
    const now = performance.now();
    const isFull = this.#wantsFull || !this.#full || this.#full.shape !== shape || now - this.#full.at >= fullEveryMs;
    this.#n += 1;
    this.#beat = { run: id, verdicts };
    const everyMs = Math.max(...[...rows].map((row) => this.#watch?.everyOf(row) ?? 0), 1000);
    const head = { id, verdicts, every: everyMs / 1000 };
    try {
      if (isFull) {
        // The hub knows it by the name that its key stands for, whatever the machine calls itself.
        const vantage = {
          ...report.vantage,
          hostname: agent,
          roles: report.vantage.roles.length > 0 ? report.vantage.roles : as,
        };
        const whole = { ...report, site: { ...report.site, name: site }, vantage };
        this.outbox.put('full', head, gzipSync(JSON.stringify(whole)));
        this.#full = { id, shape, at: now };
        this.#wantsFull = false;
      } else this.outbox.put('beat', head, Buffer.from(JSON.stringify(this.heartbeat())));
    } catch (error) {
      this.#full = null;
      this.#parts.say(`a run could not be put into the outbox: ${error instanceof Error ? error.message : ''}`);
    }
    this.#tell();
  }

  #everyMs(): number {
    const watch = this.#watch;
    if (!watch) return mostNextMs;
    return Math.min(...watch.subject.spec.rows.map(({ id }) => watch.everyOf(id)));
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #file(name: string): string {
    return join(this.#parts.config.state, name);
  }
}

/** What it is a change of: verdicts, and what came of each check. */
function shapeOf({ rows, checks }: Report): string {
  const told = [
    rows.map(({ id, verdict }) => [id, verdict]),
    checks.map(({ id, outcome, hint }) => [id, outcome, hint]),
  ];
  return createHash('sha256').update(JSON.stringify(told)).digest('base64');
}

function parsed(data: Uint8Array): { readonly do: string; readonly rows?: string[] } | null {
  if (data.length > 10_000) return null;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(data));
    if (typeof value !== 'object' || value === null || !('do' in value) || typeof value.do !== 'string') return null;
    const rows: unknown = 'rows' in value ? value.rows : undefined;
    const isRows = Array.isArray(rows) && rows.every((row) => typeof row === 'string');
    return isRows ? { do: value.do, rows } : { do: value.do };
  } catch {
    return null;
  }
}
