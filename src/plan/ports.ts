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

/** So many of them, from the first to the last in even steps; all of them where nothing is said. */
export function sampledPorts(ports: readonly number[], sample: number | undefined): readonly number[] {
  if (sample === undefined || sample >= ports.length) return ports;
  if (sample === 1) return ports.slice(0, 1);
  const step = (ports.length - 1) / (sample - 1);
  return Array.from({ length: sample }, (_, i) => ports[Math.round(i * step)]!);
}

/** The port that stands in for the documented one at this host. */
export function portInUse(host: Host, documented: number, isOnlyPort: boolean): number {
  return host.ports[String(documented)] ?? (isOnlyPort ? host.port : undefined) ?? documented;
}

/** "80, 443", "6910-6930", "dynamic": each once, in the order of the needs. */
export function portsText(groups: readonly (readonly PortEntry[])[]): string {
  return [...new Set(groups.flat().map(String))].filter((port) => port !== '0').join(', ');
}
