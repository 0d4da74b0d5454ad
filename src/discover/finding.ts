/** What was found, wherever: plain values, each with a sentence of where it came from, before they become a site. */

export type Finding =
  | { readonly kind: 'name'; readonly name: string; readonly from: string }
  /** What a pool or a host says that it is. */
  | { readonly kind: 'product'; readonly brand: string; readonly version: string; readonly from: string }
  | { readonly kind: 'vantage'; readonly role: string; readonly from: string }
  | HostFinding
  | { readonly kind: 'domain'; readonly domain: string; readonly from: string }
  | { readonly kind: 'fact'; readonly fact: string; readonly value: string | boolean; readonly from: string }
  | { readonly kind: 'not-used'; readonly role: string; readonly from: string }
  | ProxyFinding
  | AbsentFinding
  | AlertFinding
  /** The certificate that a member shows others, SHA-256 in hex. */
  | { readonly kind: 'pin'; readonly fingerprint: string; readonly from: string }
  /** Worth knowing, and no entry of a site. */
  | { readonly kind: 'remark'; readonly text: string };

export interface HostFinding {
  readonly kind: 'host';
  readonly role: string;
  readonly host: string;
  readonly port?: number | undefined;
  /** Documented port -> the one in use. */
  readonly ports?: Readonly<Record<string, number>> | undefined;
  readonly console?: 'vnc' | 'rdp' | undefined;
  readonly from: string;
}

export interface ProxyFinding {
  readonly kind: 'proxy';
  readonly url: string;
  readonly username?: string | undefined;
  /** Row ids; absent: all rows to external domains. */
  readonly for?: readonly string[] | undefined;
  readonly from: string;
}

/** It was looked for: a role, a fact, or the proxy. */
export interface AbsentFinding {
  readonly kind: 'absent';
  readonly about: { readonly role: string } | { readonly fact: string } | 'proxy';
  readonly hint: string;
}

/** What the pool itself complains of, for the rows that it may explain. */
export interface AlertFinding {
  readonly kind: 'alert';
  readonly rows: readonly string[];
  readonly text: string;
}

/** One source's whole word. */
export interface Source {
  /** "XAPI at /var/lib/xcp/xapi" */
  readonly name: string;
  readonly findings: readonly Finding[];
  /** What to tell about the asking, on standard error. */
  readonly told: readonly string[];
  /** Why nothing or not all was learned: a sentence with what to do. Null where all went well. */
  readonly trouble: string | null;
}
