/**
 * A proxy's "no", in words: what it said, and what to do about just that. Nothing is said that it did not show: the status
 * code, where it sends us, which schemes it offers, whether it was given credentials. RFC 9110 section 15; RFC 6585 (511).
 */
import { hostPort } from '../model/address.ts';
import { NetError } from '../model/errors.ts';
import type { Challenge } from './challenge.ts';
import type { ResponseHead } from './proxy.ts';

export interface Refused {
  readonly head: ResponseHead;
  readonly challenges: readonly Challenge[];
  /** The proxy as HOST:PORT, and whom it was asked for. */
  readonly proxy: string;
  readonly authority: string;
  /** CONNECT, or GET for what is forwarded. */
  readonly method: string;
  readonly username: string | undefined;
  readonly hasPassword: boolean;
  /** Credentials went with the request that was refused. */
  readonly sent: boolean;
}

interface Words {
  readonly said: string;
  readonly remedy: string;
}

export function refusal(refused: Refused): NetError {
  const { head, proxy } = refused;
  const { said, remedy } = wordsFor(refused);
  const reason = squidReason(head.headers.get('x-squid-error'));
  return new NetError({
    outcome: 'declined',
    stage: 'proxy',
    hint: 'proxy',
    code: `HTTP_${head.status}`,
    detail: `the proxy ${proxy} ${said}${reason === undefined ? '' : `: ${reason}`}`,
    remedy,
  });
}

function wordsFor(refused: Refused): Words {
  const { status } = refused.head;
  if (status === 407 || status === 401) return credentialWords(refused);
  if (status >= 300 && status < 400) return portalWords(refused);
  if (status === 511) return signInWords(refused);
  if (status >= 500 && status !== 501 && status !== 505) return serverWords(refused);
  return statusWords(refused);
}

function credentialWords(refused: Refused): Words {
  const { head, challenges, username, hasPassword, sent, proxy } = refused;
  const { status } = head;
  const offered = listed([...new Set(challenges.map(({ scheme }) => nameOf(scheme)))]);
  if (sent) {
    return {
      said: `rejects the credentials of ${clean(username ?? '')} (HTTP ${status})`,
      remedy: `Check the user name and the password of ${clean(username ?? '')} for ${proxy} (wrong, expired or locked?): they were sent, and rejected.`,
    };
  }
  if (challenges.length === 0) {
    return {
      said: `wants credentials and offers no way to give them (HTTP ${status})`,
      remedy: `Ask the proxy team for an authentication scheme that is named in Proxy-Authenticate, or for an exception for this machine.`,
    };
  }
  if (!challenges.some(({ scheme }) => scheme === 'basic' || scheme === 'digest')) {
    return {
      said: `offers only ${offered} (HTTP ${status})`,
      remedy: `Ask the proxy team for digest or basic for this machine, or for an exception without: ${offered} cannot be spoken here.`,
    };
  }
  if (username !== undefined && hasPassword) {
    return {
      said: `offers only ${offered}, in a form that cannot be answered (HTTP ${status})`,
      remedy: `Ask the proxy team for digest with MD5 or SHA-256, or basic.`,
    };
  }
  return {
    said: `wants credentials (${offered}; HTTP ${status})`,
    remedy:
      'Give the proxy its credentials: proxy.username and proxy.passwordFile in the site file, or the user in --proxy and XENREACH_PROXY_PASSWORD.',
  };
}

function portalWords({ head }: Refused): Words {
  const { status } = head;
  const goal = goalOf(head.headers.get('location'));
  const to = goal === undefined ? 'elsewhere' : `to ${goal}`;
  return {
    said: `sends us ${to} in place of a connection, as a sign-in page does (HTTP ${status})`,
    remedy:
      goal === undefined
        ? 'Look whether a captive portal answers in place of the proxy, and have this machine exempted from it.'
        : `Sign this machine in at ${goal}, or have it exempted from that sign-in page.`,
  };
}

function signInWords({ head }: Refused): Words {
  return {
    said: `wants this machine to sign in first (HTTP ${head.status})`,
    remedy: 'Sign this machine in to the network, or have it exempted from the captive portal.',
  };
}

function serverWords({ head, authority }: Refused): Words {
  const { status } = head;
  const later = laterIn(head.headers.get('retry-after'));
  const squid = head.headers.get('x-squid-error') ?? '';
  if (status === 502 || isAboutDestination.test(squid)) {
    return {
      said: `could not reach the destination (HTTP ${status})`,
      remedy: `Ask the proxy team why the proxy cannot reach ${authority}: ${squid.startsWith('ERR_DNS') ? 'its own DNS' : 'its own DNS, route or firewall'}.`,
    };
  }
  if (status === 504) {
    return {
      said: `got no answer from the destination in its time (HTTP ${status})`,
      remedy: `Ask the proxy team why ${authority} does not answer the proxy: its route or firewall.`,
    };
  }
  if (status === 503) {
    return {
      said: `cannot serve now, or could not reach the destination (HTTP ${status})${later}`,
      remedy: `Look at the load and the log of the proxy, and whether it reaches ${authority} itself.`,
    };
  }
  return {
    said: `fails with an error of its own (HTTP ${status})${later}`,
    remedy: 'Look at the log of the proxy: it failed before it tried the destination, or while it did.',
  };
}

function statusWords({ head, proxy, authority, method }: Refused): Words {
  const { status } = head;
  const server = head.headers.get('server');
  const who = server === undefined ? '' : `, it calls itself ${clean(server)}`;
  switch (status) {
    case 403:
      return {
        said: `forbids this destination by its rules (HTTP 403)`,
        remedy: `Ask the proxy team to allow ${authority} for this machine${method === 'CONNECT' ? ' (CONNECT, to that port)' : ''}.`,
      };
    case 429:
      return {
        said: `says that there were too many requests (HTTP 429)${laterIn(head.headers.get('retry-after'))}`,
        remedy: 'Run again later; ask the proxy team to raise the limit for this machine.',
      };
    case 451:
      return {
        said: 'blocks this destination by policy (HTTP 451)',
        remedy: `Ask the proxy team to allow ${authority} for this machine.`,
      };
    default:
      return {
        said: `does not take ${method} (HTTP ${status}${who}): a web server, or a proxy that does not allow it`,
        remedy: `Check that ${proxy} is the HTTP proxy's own host and port; if it is, ask the proxy team to allow ${method} to ${authority}.`,
      };
  }
}

const isAboutDestination = /^ERR_(?:DNS|CONNECT|CANNOT_FORWARD|READ|SECURE_CONNECT|ZERO)/;

/** `ERR_CONNECT_FAIL 113`: Squid's name for it, and the number that its system gave. */
export function squidReason(text: string | undefined): string | undefined {
  const [, name, number] = /^(ERR_[A-Z_]{1,40})(?: (\d{1,5}))?\b/.exec(text ?? '') ?? [];
  if (name === undefined || saidByStatus.has(name)) return undefined;
  const words = squidErrors[name] ?? name.slice(4).toLowerCase().replaceAll('_', ' ');
  const system = systemErrors[Number(number)];
  return system === undefined ? words : `${words} (${system})`;
}

/** 403 and 407 have said it already. */
const saidByStatus: ReadonlySet<string> = new Set(['ERR_ACCESS_DENIED', 'ERR_CACHE_ACCESS_DENIED']);

const squidErrors: Readonly<Record<string, string>> = {
  ERR_CANNOT_FORWARD: 'it has no way to forward there',
  ERR_CONNECT_FAIL: 'its connection failed',
  ERR_DNS_FAIL: 'it cannot resolve the name',
  ERR_FORWARDING_DENIED: 'it may not forward there',
  ERR_LIFETIME_EXP: 'its time was over',
  ERR_READ_TIMEOUT: 'the destination did not answer it',
  ERR_SECURE_CONNECT_FAIL: 'its own TLS session failed',
  ERR_SHUTTING_DOWN: 'it is shutting down',
  ERR_TOO_BIG: 'what we asked is too large for it',
  ERR_UNSUP_REQ: 'it does not know the method',
  ERR_ZERO_SIZE_OBJECT: 'the destination closed without an answer',
};

/** errno of Linux, as connect(2) gives it. */
const systemErrors: Readonly<Record<number, string>> = {
  13: 'not permitted, EACCES',
  101: 'no route to that network, ENETUNREACH',
  104: 'reset, ECONNRESET',
  110: 'nothing came back, ETIMEDOUT',
  111: 'nothing listens there, ECONNREFUSED',
  113: 'no route to the host, EHOSTUNREACH',
};

const schemeNames: Readonly<Record<string, string>> = {
  basic: 'Basic',
  bearer: 'Bearer',
  digest: 'Digest',
  kerberos: 'Kerberos',
  negotiate: 'Negotiate',
  ntlm: 'NTLM',
};

const nameOf = (scheme: string): string => schemeNames[scheme] ?? clean(scheme);

const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

function laterIn(text: string | undefined): string {
  if (text === undefined) return '';
  return /^\d{1,6}$/.test(text) ? `, try again in ${text} s` : `, try again at ${clean(text)}`;
}

/** The host of a Location, which may be a path alone. */
function goalOf(location: string | undefined): string | undefined {
  if (location === undefined || !URL.canParse(location)) return undefined;
  const { hostname, port } = new URL(location);
  return hostname === '' ? undefined : clean(port === '' ? hostname : hostPort(hostname, Number(port)));
}

const clean = (text: string): string => text.replaceAll(/[^\u0020-\u007E]/g, '?').slice(0, 80);
