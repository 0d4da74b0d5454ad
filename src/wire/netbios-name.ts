/**
 * NetBIOS names on the wire: sixteen bytes, fifteen of text and a suffix that says what the name is for, each written as
 * two letters from A to P. RFC 1001 section 14.1.
 */
export const suffixes = {
  workstation: 0x00,
  domainMasterBrowser: 0x1b,
  domainControllers: 0x1c,
  fileServer: 0x20,
} as const;

const textLength = 15;

/** 34 bytes: a label of 32 letters and the empty scope. */
export function encodeNetbiosName(text: string, suffix: number, padding = ' '): Uint8Array {
  const name = Buffer.from(
    text.padEnd(textLength, padding).slice(0, textLength) + String.fromCharCode(suffix),
    'latin1',
  );
  const letters = [...name].flatMap((byte) => [0x41 + (byte >> 4), 0x41 + (byte & 0x0f)]);
  return Uint8Array.from([letters.length, ...letters, 0]);
}
