/** Which datagrams a probe takes: those that are for us, and those that are not the protocol at all. */
import { DecodeError } from './reader.ts';

/**
 * For `io.exchange`. The socket is connected, so bytes that do not decode are the peer's own: taken, and what is wrong
 * with them is said when the probe decodes them. The right protocol with someone else's id is a stray: ignored.
 */
export function accepting<T>(decode: (bytes: Uint8Array) => T, isOurs: (message: T) => boolean) {
  return (bytes: Uint8Array): boolean => {
    try {
      return isOurs(decode(bytes));
    } catch (error) {
      if (error instanceof DecodeError) return true;
      throw error;
    }
  };
}
