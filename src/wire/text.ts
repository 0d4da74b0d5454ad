/** Text from a peer, made safe to show: no control characters, no more of it than a line can hold. */
const unprintable = (): RegExp => /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

/** Bytes are taken for UTF-8. */
export function printable(text: Uint8Array | string, maxLength = 128): string {
  // Four times the length bounds the work on a text that is nothing but control characters.
  const whole =
    typeof text === 'string' ? text.slice(0, maxLength * 4) : Buffer.from(text.subarray(0, maxLength * 4)).toString();
  const clean = whole.toWellFormed().replaceAll(unprintable(), '');
  return clean.length <= maxLength ? clean : `${clean.slice(0, maxLength - 1).toWellFormed()}…`;
}
