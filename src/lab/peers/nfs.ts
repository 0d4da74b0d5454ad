/** The RPC programs of an NFS filer, as far as a null call goes. RFC 1813 appendix I (EXPORT). */
import { join, uint32 } from '../wire.ts';
import { string, type Program } from './rpc.ts';

export const programs = { nfs: 100_003, mountd: 100_005, nlockmgr: 100_021, status: 100_024 };

export const nfs = (low: number, high: number): Program => ({ number: programs.nfs, low, high });
export const nlockmgr: Program = { number: programs.nlockmgr, low: 1, high: 4 };
export const status: Program = { number: programs.status, low: 1, high: 1 };
export const mountd: Program = {
  number: programs.mountd,
  low: 1,
  high: 3,
  // EXPORT: one directory, open to everyone.
  procedures: () => new Map([[5, () => join(uint32(1), string('/srv/sr'), uint32(0), uint32(0))]]),
};
