/** Where the pool has its updates from, and the proxy that is for them alone. */
import type { Finding } from '../finding.ts';
import { proxyUrl } from '../proxy-setting.ts';
import { has, list, text, type Fields } from '../records.ts';
import { namesOf, type PoolView } from './view.ts';

const updateRows = ['updates-repo', 'updates-source-repo'];

export const updateFindings = (view: PoolView): Finding[] => [...originFindings(view), ...proxyFindings(view.pool)];

function originFindings(view: PoolView): Finding[] {
  const about = { fact: 'vendor-updates' };
  const enabled = list(view.pool, 'repositories').flatMap((reference): Fields[] => {
    const found = view.get('Repository', reference);
    return found ? [found] : [];
  });
  if (enabled.length === 0) {
    const hint = view.knows('Repository')
      ? 'not known: the pool has no update repository yet'
      : 'not known: this pool has no class Repository';
    return [{ kind: 'absent', about, hint }];
  }
  const remarks = enabled.flatMap((each): Finding[] => {
    const url = urlText(text(each, 'binary_url') ?? '');
    return url === undefined
      ? []
      : [{ kind: 'remark', text: `pool: updates come from ${url} (Repository "${nameOf(each)}")` }];
  });
  // One repository of the vendor is enough to need the vendor; a host that does not say has no other origin.
  const isVendors = enabled.some((each) => (text(each, 'origin') ?? 'remote') === 'remote');
  const told = [...new Set(enabled.map((each) => text(each, 'origin') ?? 'remote'))].join(', ');
  const from = `Repository.origin is ${told} for ${namesOf(enabled.map(nameOf))}`;
  return [...remarks, { kind: 'fact', fact: about.fact, value: isVendors, from }];
}

const nameOf = (repository: Fields): string => text(repository, 'name_label') || 'without a name';

/** Without user, password and query. */
function urlText(url: string): string | undefined {
  try {
    const { protocol, host, pathname } = new URL(url);
    return `${protocol}//${host}${pathname}`.slice(0, 200);
  } catch {
    return undefined;
  }
}

/** Its password is a secret of the pool that read-only roles may not see, and that no site file holds. */
function proxyFindings(pool: Fields): Finding[] {
  if (!has(pool, 'repository_proxy_url')) {
    return [{ kind: 'absent', about: 'proxy', hint: 'this pool has no field repository_proxy_url' }];
  }
  const url = text(pool, 'repository_proxy_url') ?? '';
  if (url === '') return [{ kind: 'absent', about: 'proxy', hint: 'pool.repository_proxy_url is empty' }];
  const usable = proxyUrl(url);
  if (usable === undefined) {
    return [
      {
        kind: 'absent',
        about: 'proxy',
        hint: 'pool.repository_proxy_url is no URL of an HTTP proxy; write it by hand',
      },
    ];
  }
  const username = text(pool, 'repository_proxy_username') || usable.username;
  const from = 'pool.repository_proxy_url: for the updates alone; XenCenter and telemetry have their own way out';
  return [{ kind: 'proxy', url: usable.url, username, for: updateRows, from }];
}
