/** A row of a table as the program takes it: what its table says of all rows is said of it. */
import type { Probe } from '../model/probe.ts';
import type { Need, Requirement, WrittenNeed, WrittenRow, WrittenSpec } from '../model/spec.ts';

type Probes = Readonly<Record<string, Probe>>;

export function requirementOf(row: WrittenRow, spec: WrittenSpec, probes: Probes): Requirement {
  const { from, needs = [], source, confidence = spec.confidence, basis = spec.basis, require, ...rest } = row;
  const sourceRoles = [from].flat();
  const { title, product } = (source.of === undefined ? undefined : spec.sources[source.of]) ?? spec.source;
  return {
    ...rest,
    from: sourceRoles.join(', '),
    sourceRoles,
    needs: needs.flatMap((need, of) =>
      'anyOf' in need
        ? need.anyOf.map((choice, index): Need => ({ ...withPorts(choice, probes), choice: { of, index } }))
        : [withPorts(need, probes)],
    ),
    source: { ...source, title: product === undefined ? title : `${title} (${product})` },
    confidence,
    basis,
    ...(require && { require }),
    catalogue: spec.id,
  };
}

/** A need without ports means the probe's own, except where the target is a name and no port is touched. */
function withPorts(need: WrittenNeed, probes: Probes): Need {
  const probe = probes[need.probe]!;
  const whole = need.ports || probe.perAddress === false ? need : { ...need, ports: [probe.port] };
  // To a proxy HTTP goes in absolute form, as curl sends it, unless the client is another.
  if (probe.scheme !== 'http' || need.proxy !== 'connect') return whole;
  return { ...whole, options: { ...whole.options, tunnel: true } };
}
