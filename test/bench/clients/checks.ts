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
  options: Record<string, unknown> = { linger: 0 },
): Check[] {
  const [a = 0, b = 0, c = 0, d = 0] = field.first.split('.').map(Number);
  const first = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  return Array.from({ length: field.hosts * field.ports }, (_, i): Check => {
    const number = first + (i % field.hosts);
    const address = [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
    const port = field.port + Math.floor(i / field.hosts);
    return {
      id: `${probe}/${address}:${port}`,
      probe,
      transport,
      host: address,
      address,
      port,
      options,
      viaProxy: false,
      isPeer: false,
      uses: [{ row: 'bench', expect: 'open', level: 'required' }],
    };
  });
}
