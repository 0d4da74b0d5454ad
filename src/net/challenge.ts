/**
 * What a server or proxy asks for: the list of challenges of RFC 9110 section 11.6.1, in one header line or in many.
 *
 *   challenge-list  = challenge *( "," challenge )
 *   challenge       = scheme [ 1*SP ( token68 / name "=" value *( "," name "=" value ) ) ]
 *
 * A comma parts challenges and parameters alike: what begins with `name =` belongs to the challenge before it.
 */
export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const maxBytes = 8192;
const maxChallenges = 32;

/** `TlRMTVNT==` is no parameter: nothing, or another equals sign, comes behind the first. */
const token = String.raw`[!#$%&'*+.^_\`|~0-9A-Za-z-]+`;
const parameter = new RegExp(String.raw`^(${token})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"?|([^\s,"=][^\s,"]*))`, 's');
const scheme = new RegExp(String.raw`^(${token})(?:[ \t]+|(?=,|$))`);
const blank = /^[\s,]+/;
const toNextComma = /^[^,]*/;

/** Never fails: what cannot be read is passed over up to the next comma. */
export function decodeChallenges(lines: readonly string[]): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let rest = lines.join(', ').slice(0, maxBytes);
  const take = (pattern: RegExp): RegExpExecArray | null => {
    const match = pattern.exec(rest);
    if (match) rest = rest.slice(match[0].length);
    return match;
  };
  for (;;) {
    take(blank);
    if (rest === '' || challenges.length >= maxChallenges) return challenges;
    const named = take(parameter);
    if (named) {
      const [, name = '', quoted, plain = ''] = named;
      const { parameters } = challenges.at(-1) ?? {};
      // The first of two says it: a second realm is no part of the challenge that was signed.
      const key = name.toLowerCase();
      if (parameters && !parameters.has(key)) parameters.set(key, quoted?.replaceAll(/\\(.)/gs, '$1') ?? plain);
      continue;
    }
    const [, begun] = take(scheme) ?? [];
    if (begun === undefined) {
      take(toNextComma);
      continue;
    }
    challenges.push({ scheme: begun.toLowerCase(), parameters: new Map() });
    // NTLM and Negotiate may carry a token of their own, which is no parameter.
    if (!parameter.test(rest)) take(toNextComma);
  }
}
