/** Starts and ends a watch with all that belongs to it: history, rounds, pages, inbox, notices. */
import { UsageError } from '../model/errors.ts';
import { serveHttp, type HttpServer } from '../net/http-server.ts';
import { codeOf } from '../net/failure.ts';
import { bracketed, isAddress } from '../model/address.ts';
import { makeApp } from './app.ts';
import { systemClock, type Clock } from './clock.ts';
import { History } from './history/history.ts';
import { InboxFolder } from './inbox.ts';
import { Keeper } from './keeper.ts';
import { splitListen } from './listen.ts';
import type { WatchConfig } from './load-config.ts';
import type { Subject } from './viewpoint.ts';
import { Watch } from './watch.ts';

export interface Running {
  readonly watch: Watch;
  /** Where the pages are. */
  readonly url: () => string;
  /** Reads everything anew; what is wrong leaves all as it was, and is told. */
  reload(): Promise<void>;
  /** Resolves when all has ended: within some seconds of the signal. */
  readonly done: Promise<void>;
}

export interface StartOptions {
  /** Reads the files. Throws a UsageError. */
  readonly load: () => Promise<Subject>;
  readonly say: (text: string) => void;
  readonly stop: AbortSignal;
  readonly clock?: Clock;
}

const inboxMs = 5000;
/** What is still being asked when it ends gets so long. */
const graceMs = 3000;

export function openKeeper(file: string, say: (text: string) => void): Keeper {
  return new Keeper(file, History.open(file), say);
}

export async function startWatch({ load, say, stop, clock = systemClock }: StartOptions): Promise<Running> {
  const subject = await load();
  const keeper = openKeeper(subject.config.historyFile, say);
  const watch = new Watch(subject, { clock, keeper, say });
  let server = await serve(watch, subject.config, stop).catch((error: unknown) => {
    keeper.close();
    throw error;
  });
  await watch.begin(stop);
  const url = (): string => urlOf(watch.subject.config, server.port);
  let folder = folderOf(watch.subject.config, say);
  const timer = setInterval(() => folder?.look(watch), inboxMs);
  folder?.look(watch);

  const reload = async (): Promise<void> => {
    let place: HttpServer | null = null;
    try {
      const before = watch.subject.config;
      const next = await load();
      // What cannot be had is known before anything is changed.
      if (!isSamePlace(before, next.config)) place = await serve(watch, next.config, stop);
      await watch.reload(next, stop);
      folder = folderOf(next.config, say);
      if (next.config.historyFile !== before.historyFile) say('history: file: is taken at the next start');
      if (place) {
        const old = server;
        server = place;
        await old.close();
        say(`the pages are at ${url()}`);
      }
      say('the files were read again');
    } catch (error) {
      if (place !== server) await place?.close();
      const text = error instanceof Error ? error.message : String(error);
      watch.reloadFailed(text);
      say(`the files were read again and are not taken, so all goes on as before: ${text}`);
    }
  };

  const done = (async () => {
    await ended(watch.run(stop), stop);
    clearInterval(timer);
    await server.close();
    keeper.close();
  })();
  return { watch, url, reload, done };
}

/** Until it has ended, or some seconds after it should have. */
async function ended(running: Promise<void>, stop: AbortSignal): Promise<void> {
  const late = new Promise<void>((resolve) => {
    stop.addEventListener('abort', () => setTimeout(resolve, graceMs).unref(), { once: true });
  });
  await Promise.race([running, late]);
}

async function serve(watch: Watch, config: WatchConfig, stop: AbortSignal): Promise<HttpServer> {
  const { host, port } = splitListen(config.file.listen);
  const app = makeApp(watch, stop);
  try {
    return await serveHttp({ host, port, tls: config.tls, fetch: (request) => app.fetch(request) });
  } catch (error) {
    const code = codeOf(error);
    const why =
      code === 'EADDRINUSE'
        ? 'another program has that port'
        : code === 'EADDRNOTAVAIL'
          ? 'this machine has no such address'
          : code === 'EACCES'
            ? 'this user may not have that port'
            : error instanceof Error
              ? error.message
              : String(error);
    throw new UsageError(`listen: ${config.file.listen}: ${why}; name another under listen:`, { cause: error });
  }
}

const isSamePlace = (one: WatchConfig, other: WatchConfig): boolean =>
  one.file.listen === other.file.listen && one.tls?.cert === other.tls?.cert && one.tls?.key === other.tls?.key;

const folderOf = (config: WatchConfig, say: (text: string) => void): InboxFolder | null =>
  config.inbox?.folder == null ? null : new InboxFolder(config.inbox.folder, say);

function urlOf({ file, tls }: WatchConfig, port: number): string {
  const { host } = splitListen(file.listen);
  return `${tls ? 'https' : 'http'}://${isAddress(host) ? bracketed(host) : host}:${port}/`;
}
