/** What a run would read and spend: every file that the command line or the site names, and the proxy. A plan shows it. */
import { outsideText } from '../load/read-file.ts';
import type { Inputs, InputFile } from '../model/report.ts';
import type { Site } from '../model/site.ts';
import type { Arguments } from './options.ts';
import { isSameProxy, namedFiles, type Settings } from './settings.ts';

export interface Loaded {
  readonly site: Site;
  /** The files themselves, where there are any: `-` is standard input. */
  readonly siteFile: string;
  readonly specFile: string | null;
}

export function inputsOf(values: Arguments, { site, siteFile, specFile }: Loaded, { run }: Settings): Inputs {
  const named = namedFiles(values, site);
  const bySite = (path: string, as: InputFile['as']): InputFile => ({ as, path, note: outsideText(path, named) });
  const byCommand = (path: string, as: InputFile['as']): InputFile => ({ as, path, note: null });
  const password = site.proxy?.passwordFile;
  const isSiteProxy = site.proxy !== null && (values.proxy === undefined || isSameProxy(site.proxy.url, values.proxy));
  return {
    files: [
      byCommand(siteFile, 'site'),
      ...(specFile === null ? [] : [byCommand(specFile, 'spec')]),
      ...site.trust.map((path) => bySite(path, 'trust')),
      ...(values.ca ?? []).map((path) => byCommand(path, 'ca')),
      ...(isSiteProxy && password !== undefined ? [bySite(password, 'proxy.passwordFile')] : []),
    ],
    proxy: run.proxy && { host: run.proxy.host, port: run.proxy.port, username: run.proxy.username ?? null },
  };
}
