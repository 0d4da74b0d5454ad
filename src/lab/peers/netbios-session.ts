/** The NetBIOS session service on TCP 139, with SMB inside. RFC 1002 sections 4.3.2 to 4.3.5. */
import type { TcpPeer } from '../caller.ts';

/** Why a session is denied: the called name is not here. */
export const calledNameNotPresent = 0x82;

/** Grants the session to any client (or denies it, with a code); the peer inside answers what follows. */
export function sessionService(inner: TcpPeer, denied?: number): TcpPeer {
  return async (caller) => {
    const header = await caller.read(4);
    await caller.read(header.readUInt16BE(2));
    if (header.readUInt8(0) !== 0x81) return undefined;
    if (denied !== undefined) {
      caller.write(Buffer.of(0x83, 0, 0, 1, denied));
      return undefined;
    }
    caller.write(Buffer.of(0x82, 0, 0, 0));
    return inner(caller);
  };
}
