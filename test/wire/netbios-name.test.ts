import { expect, test } from 'vitest';
import { encodeNetbiosName } from '../../src/wire/netbios-name.ts';

test.for([
  ['*', 0, '\0', 'CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
  ['*SMBSERVER', 0x20, ' ', 'CKFDENECFDEFFCFGEFFCCACACACACACA'],
  ['A NAME THAT IS FAR TOO LONG', 0x20, ' ', 'EBCAEOEBENEFCAFEEIEBFECAEJFDCACA'],
] as const)('%s is two letters a byte, fifteen bytes and the suffix', ([text, suffix, padding, letters]) => {
  const bytes = Buffer.from(encodeNetbiosName(text, suffix, padding));
  expect([bytes[0], bytes.toString('latin1', 1, 33), bytes[33], bytes.length]).toEqual([32, letters, 0, 34]);
});
