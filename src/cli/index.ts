/** The commands: one line each, and the only list of them. Each is loaded when it is asked for: `--version` loads none. */
import type { Command } from './command.ts';

export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  check: async () => (await import('./check.ts')).check,
  plan: async () => (await import('./plan.ts')).plan,
  discover: async () => (await import('./discover.ts')).discover,
  spec: async () => (await import('./spec.ts')).spec,
  probe: async () => (await import('./probe.ts')).probe,
  judge: async () => (await import('./judge.ts')).judge,
  merge: async () => (await import('./merge.ts')).merge,
  diff: async () => (await import('./diff.ts')).diff,
  respond: async () => (await import('./respond.ts')).respond,
  watch: async () => (await import('./watch.ts')).watch,
  history: async () => (await import('./history.ts')).history,
  notify: async () => (await import('./notify.ts')).notify,
  fleet: async () => (await import('./fleet.ts')).fleet,
  hub: async () => (await import('./hub.ts')).hub,
  agent: async () => (await import('./agent.ts')).agent,
  demo: async () => (await import('./demo.ts')).demo,
};
