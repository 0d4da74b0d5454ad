/** Ports as the page writes them, and as a site uses them. */
import type { Host } from '../model/site.ts';

type PortEntry = number | string;

/** 443, "6910-6930" and "dynamic" (where asking begins) as plain numbers. */
export function expandPorts(entries: readonly PortEntry[], dynamicPort: number): number[] {
  const ports = entries.flatMap((entry) => {
    if (typeof entry === 'number') return [entry];
    if (entry === 'dynamic') return [dynamicPort];
    const [from = 0, to = 0] = entry.split('-').map(Number);
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
  });
  return [...new Set(ports)];
}

/** How many ports `expandPorts` would make, at most. */
export function countPorts(entries: readonly PortEntry[]): number {
  return entries.reduce<number>((sum, entry) => {
    const [from = 0, to = from] = typeof entry === 'number' || entry === 'dynamic' ? [] : entry.split('-').map(Number);
    return sum + Math.max(1, to - from + 1);
  }, 0);
}

/** The port that stands in for the documented one at this host. */
export function portInUse(host: Host, documented: number, isOnlyPort: boolean): number {
  return host.ports[String(documented)] ?? (isOnlyPort ? host.port : undefined) ?? documented;
}

/** "80, 443", "6910-6930", "dynamic": each once, in the order of the needs. */
export function portsText(groups: readonly (readonly PortEntry[])[]): string {
  return [...new Set(groups.flat().map(String))].filter((port) => port !== '0').join(', ');
}
