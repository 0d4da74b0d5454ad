/** Certificates made on the spot by the openssl command: an authority, and good and bad leaves below it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

interface LeafOptions {
  /** Names and addresses it is good for; the first is its common name. */
  readonly names: readonly string[];
  readonly algorithm?: 'rsa' | 'ec' | 'p384';
  /** Days from now; negative is past. */
  readonly fromDays?: number;
  readonly untilDays?: number;
}

export interface Authority extends Certificate {
  issue(options: LeafOptions): Certificate;
}

const algorithms = {
  rsa: ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  ec: ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  p384: ['EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
} as const;

/** A private authority, known to nobody but who is given its certificate. */
export function makeAuthority(commonName = 'xenreach test authority'): Authority {
  const authority = selfSign({ names: [commonName], untilDays: 3650 }, 'CA:TRUE');
  return { ...authority, issue: (options) => issue(authority, options) };
}

/** A leaf that nobody vouches for. */
const makeSelfSigned = (options: LeafOptions): Certificate => selfSign(options, 'CA:FALSE');

/** The usual faults, all for the same names and by the same authority. */
export function makeFaults(authority: Authority, names: readonly string[]): Record<string, Certificate> {
  return {
    good: authority.issue({ names }),
    expired: authority.issue({ names, fromDays: -60, untilDays: -1 }),
    'not-yet-valid': authority.issue({ names, fromDays: 30, untilDays: 60 }),
    'ends-soon': authority.issue({ names, fromDays: -60, untilDays: 5 }),
    'wrong-name': authority.issue({ names: ['elsewhere.test'] }),
    'unknown-issuer': makeAuthority('xenreach unknown authority').issue({ names }),
    'self-signed': makeSelfSigned({ names }),
  };
}

function issue(authority: Certificate, options: LeafOptions): Certificate {
  return inFolder((folder) => {
    const { names, algorithm = 'ec', fromDays = -1, untilDays = 90 } = options;
    writeFileSync(join(folder, 'ca.pem'), authority.certificate);
    writeFileSync(join(folder, 'ca.key'), authority.key);
    writeFileSync(join(folder, 'index'), '');
    writeFileSync(join(folder, 'ca.conf'), configuration(names, 'CA:FALSE'));
    openssl(folder, ['genpkey', '-algorithm', ...algorithms[algorithm], '-out', 'leaf.key']);
    openssl(folder, ['req', '-new', '-key', 'leaf.key', '-config', 'ca.conf', '-out', 'leaf.csr']);
    // Only `ca` takes both ends of the validity.
    const validity = ['-startdate', utcTime(fromDays), '-enddate', utcTime(untilDays)];
    const files = ['-config', 'ca.conf', '-in', 'leaf.csr', '-out', 'leaf.pem'];
    openssl(folder, ['ca', '-batch', '-notext', ...files, ...validity]);
    return { certificate: read(folder, 'leaf.pem'), key: read(folder, 'leaf.key') };
  });
}

function selfSign({ names, algorithm = 'ec', untilDays = 90 }: LeafOptions, constraint: string): Certificate {
  return inFolder((folder) => {
    writeFileSync(join(folder, 'ca.conf'), configuration(names, constraint));
    openssl(folder, ['genpkey', '-algorithm', ...algorithms[algorithm], '-out', 'own.key']);
    const files = ['-key', 'own.key', '-config', 'ca.conf', '-out', 'own.pem'];
    openssl(folder, ['req', '-new', '-x509', '-extensions', 'extensions', '-days', String(untilDays), ...files]);
    return { certificate: read(folder, 'own.pem'), key: read(folder, 'own.key') };
  });
}

function configuration(names: readonly string[], constraint: string): string {
  const alternatives = names.map((name) =>
    /^[\d.]+$|:/.test(name) ? `IP:${name}` : `DNS:${name.replaceAll(' ', '-')}`,
  );
  return `
[req]
distinguished_name = name
prompt = no
[name]
CN = ${names[0]}
[extensions]
basicConstraints = critical, ${constraint}
subjectKeyIdentifier = hash
subjectAltName = ${alternatives.join(', ')}
[ca]
default_ca = authority
[authority]
database = index
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
serial = serial
rand_serial = yes
default_md = sha256
policy = policy
x509_extensions = extensions
unique_subject = no
[policy]
commonName = supplied
`;
}

/** YYMMDDHHMMSSZ. */
function utcTime(days: number): string {
  const iso = new Date(Date.now() + days * 86_400_000).toISOString();
  return `${iso.slice(2, 19).replaceAll(/\D/g, '')}Z`;
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'xenreach-certificates-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function openssl(folder: string, args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], timeout: 20_000 });
}

export interface OddOptions {
  /** `/CN=name/O=firm`; `/` for none at all. */
  readonly subject: string;
  /** Each as it stands in OpenSSL's configuration: `subjectAltName=DNS:a`. */
  readonly extensions?: readonly string[];
  readonly key?: keyof typeof oddKeys;
  readonly digest?: 'sha256' | 'sha1' | 'md5';
  readonly untilDays?: number;
  /** Whose signature it has; its own without one. */
  readonly by?: Certificate;
}

const oddKeys = {
  p256: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  p192: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-192'],
  rsa1024: ['rsa:1024'],
  rsa2048: ['rsa:2048'],
} as const;

/** A certificate with just these parts, sound or not. */
export function makeOdd({
  subject,
  extensions = [],
  key = 'p256',
  digest = 'sha256',
  untilDays = 90,
  by,
}: OddOptions): Certificate {
  return inFolder((folder) => {
    const issuer = by ? ['-CA', 'ca.pem', '-CAkey', 'ca.key'] : [];
    if (by) {
      writeFileSync(join(folder, 'ca.pem'), by.certificate);
      writeFileSync(join(folder, 'ca.key'), by.key);
    }
    const parts = extensions.flatMap((extension) => ['-addext', extension]);
    const files = ['-keyout', 'odd.key', '-out', 'odd.pem'];
    const what = ['-subj', subject, '-days', String(untilDays), `-${digest}`, ...parts];
    openssl(folder, ['req', '-x509', '-nodes', '-newkey', ...oddKeys[key], ...issuer, ...files, ...what]);
    return { certificate: read(folder, 'odd.pem'), key: read(folder, 'odd.key') };
  });
}

const read = (folder: string, file: string): string => readFileSync(join(folder, file), 'utf8');
