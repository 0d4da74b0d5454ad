/** Checks by the thousand, without a spec: the same endpoints as the C references visit, host by host, port after port. */
import type { Check } from '../../../src/model/plan.ts';
import type { Transport } from '../../../src/model/probe.ts';

export interface Field {
  /** The first address; the others follow it. */
  readonly first: string;
  readonly hosts: number;
  readonly port: number;
  readonly ports: number;
}

export function checksOf(
  field: Field,
  probe = 'tcp',
  transport: Transport = 'tcp',
  optionsOf: (at: number) => Record<string, unknown> = () => bare,
  repeat = 1,
): Check[] {
  const [a = 0, b = 0, c = 0, d = 0] = field.first.split('.').map(Number);
  const first = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  const addresses = Array.from({ length: field.hosts }, (_, i) =>
    [24, 16, 8, 0].map((shift) => ((first + i) >>> shift) & 255).join('.'),
  );
  const size = field.hosts * field.ports;
  return Array.from({ length: size * repeat }, (_, at): Check => {
    const i = at % size;
    const address = addresses[i % field.hosts]!;
    const port = field.port + Math.floor(i / field.hosts);
    return {
      id: `${probe}/${address}:${port}`,
      probe,
      transport,
      host: address,
      address,
      port,
      options: optionsOf(at),
      viaProxy: false,
      isName: false,
      isAnswerDue: false,
      mayBeSelf: false,
      uses,
    };
  });
}

const bare = { linger: 0 };
/** One for all, as a plan has it for the checks of one need. */
const uses: Check['uses'] = [
  {
    row: 'bench',
    expect: 'open',
    level: 'required',
    oneWay: false,
    service: 'a listener',
    unless: null,
    note: null,
    isVendors: false,
  },
];
