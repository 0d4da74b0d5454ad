/** The commands: one line each, and the only list of them. */
import { check } from './check.ts';
import type { Command } from './command.ts';
import { demo } from './demo.ts';
import { plan } from './plan.ts';
import { probe } from './probe.ts';
import { spec } from './spec.ts';

export const commands: Readonly<Record<string, Command>> = { check, plan, spec, probe, demo };
