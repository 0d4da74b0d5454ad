/**
 * XML-RPC as XAPI speaks it: the answer is a struct with Status and Value or ErrorDescription, and every integer is text.
 *
 *   <methodCall><methodName>pool.get_all</methodName><params><param><value><string>…</string></value></param></params></methodCall>
 */
import type { Answer } from './api.ts';

export interface XmlCall {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** Parameters are texts and lists of texts: no reading call has others. Undefined when it is no call. */
export function decodeCall(text: string): XmlCall | undefined {
  const method = /<methodName>\s*([^<\s]+)\s*<\/methodName>/.exec(text)?.[1];
  if (method === undefined) return undefined;
  const params = [...text.matchAll(/<param>\s*<value>([\s\S]*?)<\/value>\s*<\/param>/g)].map(([, value = '']) =>
    valueOf(value),
  );
  return { method, params };
}

function valueOf(xml: string): unknown {
  if (xml.trimStart().startsWith('<array>')) {
    return [...xml.matchAll(/<value>(?:<string>)?([^<]*)/g)].map(([, item = '']) => unescaped(item));
  }
  return unescaped(/^\s*<(?:string|int|i4|double|boolean)>([^<]*)</.exec(xml)?.[1] ?? (xml.includes('<') ? '' : xml));
}

export function encodeAnswer(answer: Answer): string {
  const value =
    'value' in answer
      ? { Status: 'Success', Value: answer.value }
      : { Status: 'Failure', ErrorDescription: answer.fault };
  return `<?xml version="1.0"?><methodResponse><params><param>${encode(value)}</param></params></methodResponse>`;
}

function encode(value: unknown): string {
  if (typeof value === 'boolean') return `<value><boolean>${value ? 1 : 0}</boolean></value>`;
  if (typeof value === 'number') {
    return Number.isInteger(value) ? `<value>${value}</value>` : `<value><double>${value}</double></value>`;
  }
  if (Array.isArray(value)) return `<value><array><data>${value.map(encode).join('')}</data></array></value>`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([name, each]) => `<member><name>${escaped(name)}</name>${encode(each)}</member>`,
    );
    return `<value><struct>${members.join('')}</struct></value>`;
  }
  return `<value>${escaped(String(value))}</value>`;
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const unescaped = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
