/**
 * JSON-RPC as XAPI speaks it: parameters by position, version 2 asked for, version 1 taken too. What comes back is only as
 * deep and as large as a record can be. The host's floats may be a bare Infinity or NaN, which are no JSON: they become null.
 *
 *   -> {"jsonrpc":"2.0","method":"host.get_all_records","params":["OpaqueRef:…"],"id":1}
 *   <- {"jsonrpc":"2.0","result":{…},"id":1}
 *   <- {"jsonrpc":"2.0","error":{"code":1,"message":"SESSION_INVALID","data":["OpaqueRef:…"]},"id":1}
 *   <- {"result":null,"error":["HOST_IS_SLAVE","10.0.0.1"],"id":1}                        version 1
 */
import { DecodeError } from './reader.ts';

/** The API said no: its code (`HANDLE_INVALID`) and what it adds. */
export interface Fault {
  readonly code: string;
  readonly parameters: readonly string[];
}

export type Reply = { readonly result: unknown; readonly fault?: never } | { readonly fault: Fault };

/** A record is five levels deep at the most. */
const maxDepth = 24;

export const encodeCall = (method: string, params: readonly string[], id: number): string =>
  JSON.stringify({ jsonrpc: '2.0', method, params, id });

export function decodeReply(text: string, id: number): Reply {
  const start = text.trimStart()[0];
  if (start === '<') throw new DecodeError('markup came instead of JSON', 0);
  const reply = parse(text);
  if (typeof reply !== 'object' || reply === null || Array.isArray(reply)) {
    throw new DecodeError('the answer is no JSON-RPC reply', 0);
  }
  const answered = own(reply, 'id');
  if (answered !== undefined && answered !== null && answered !== id && answered !== String(id)) {
    throw new DecodeError('the answer is to another call', 0);
  }
  const error = own(reply, 'error');
  if (error !== undefined && error !== null) return { fault: faultOf(error) };
  if (!Object.hasOwn(reply, 'result')) throw new DecodeError('the reply has neither a result nor an error', 0);
  return { result: own(reply, 'result') };
}

function faultOf(error: unknown): Fault {
  const [code, parameters] = Array.isArray(error)
    ? [error[0] as unknown, error.slice(1) as unknown[]]
    : typeof error === 'object' && error !== null
      ? [own(error, 'message'), own(error, 'data')]
      : [error, []];
  if (typeof code !== 'string') throw new DecodeError('the error has no name', 0);
  const texts = Array.isArray(parameters) ? parameters.filter((each) => typeof each === 'string') : [];
  return { code, parameters: texts };
}

function parse(text: string): unknown {
  boundDepth(text);
  try {
    return JSON.parse(text);
  } catch {
    try {
      return JSON.parse(withoutNonNumbers(text));
    } catch {
      throw new DecodeError('the answer is no JSON', 0);
    }
  }
}

/** Before it is parsed: what is a thousand levels deep is nothing that a host says. */
function boundDepth(text: string): void {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (code === openBracket || code === openBrace) depth += 1;
    else if (code === closeBracket || code === closeBrace) depth -= 1;
    if (depth > maxDepth) throw new DecodeError(`the answer is more than ${maxDepth} levels deep`, at);
  }
}

const [quote, backslash, openBracket, closeBracket, openBrace, closeBrace] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d];

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === backslash) at += 1;
    else if (code === quote) return at;
  }
  return text.length;
}

/** Strings are stepped over, so that a name like "Infinity" stays one. */
function withoutNonNumbers(text: string): string {
  const pieces: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) !== quote) continue;
    const end = endOfString(text, at) + 1;
    pieces.push(nulled(text.slice(from, at)), text.slice(at, end));
    from = end;
    at = end - 1;
  }
  return [...pieces, nulled(text.slice(from))].join('');
}

const nulled = (text: string): string => text.replaceAll(/-?\b(?:Infinity|inf|NaN|nan)\b/g, 'null');

const own = (object: object, key: string): unknown =>
  Object.hasOwn(object, key) ? (Reflect.get(object, key) as unknown) : undefined;
