/** What a run would read and spend: every file that the command line or the site names, and the proxy. A plan shows it. */
import { outsideText } from '../load/read-file.ts';
import type { Inputs, InputFile } from '../model/report.ts';
import type { Site } from '../model/site.ts';
import { isSameProxy, namedFiles, type CheckSettings, type Wishes } from '../check/settings.ts';

export interface Loaded {
  readonly site: Site;
  /** The files themselves: `-` is standard input, null a site that this machine knows by itself. */
  readonly siteFile: string | null;
  readonly specFiles: readonly string[];
}

export function inputsOf(
  wishes: Wishes,
  { site, siteFile, specFiles }: Loaded,
  { run }: CheckSettings,
  pairs: readonly string[] = [],
): Inputs {
  const named = namedFiles(wishes, site);
  const bySite = (path: string, as: InputFile['as']): InputFile => ({ as, path, note: outsideText(path, named) });
  const byCommand = (path: string, as: InputFile['as']): InputFile => ({ as, path, note: null });
  const password = site.proxy?.passwordFile;
  const isSiteProxy = site.proxy !== null && (wishes.proxy === undefined || isSameProxy(site.proxy.url, wishes.proxy));
  return {
    files: [
      ...(siteFile === null ? [] : [byCommand(siteFile, 'site')]),
      ...specFiles.map((path) => byCommand(path, 'spec')),
      ...site.trust.map((path) => bySite(path, 'trust')),
      ...(wishes.ca ?? []).map((path) => byCommand(path, 'ca')),
      ...(site.pairs ?? []).map((path) => bySite(path, 'pair')),
      ...pairs.map((path) => byCommand(path, 'pair')),
      ...(isSiteProxy && password !== undefined ? [bySite(password, 'proxy.passwordFile')] : []),
    ],
    proxy: run.proxy && { host: run.proxy.host, port: run.proxy.port, username: run.proxy.username ?? null },
  };
}
