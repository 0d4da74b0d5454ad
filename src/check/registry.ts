/** The probes by name: what probes/index.ts exports, and nothing else. */
import * as everyProbe from '../../probes/index.ts';
import type { Probe } from '../model/probe.ts';

export const probes: Readonly<Record<string, Probe>> = everyProbe;
