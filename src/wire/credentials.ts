/**
 * "It wants credentials" means the same in every protocol: the server is reached and serves, and xenreach, which has no
 * secret, leaves the rest unproven and says so.
 */
import type { ProbeIo } from '../model/probe.ts';

export function wantsCredentials(io: ProbeIo, wanted: string, unproven: string): void {
  io.note(`the server wants ${wanted}, which xenreach does not have: ${unproven} not proven`);
}
