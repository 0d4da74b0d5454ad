/**
 * The web server before the API: JSON-RPC 1 and 2 on /jsonrpc, XML-RPC on / and /RPC2, and its words for what is neither.
 */
import type { HttpRequest, HttpResponse } from '../peers/http.ts';
import type { Answer, Api } from './api.ts';
import { decodeCall, encodeAnswer } from './xmlrpc.ts';

export function answerCall(request: HttpRequest, api: Api): HttpResponse | undefined {
  if (request.method !== 'POST') return undefined;
  const path = request.target.replace(/\?.*$/, '');
  if (path === '/jsonrpc') return json(request.body, api);
  if (path === '/' || path === '/RPC2') return xml(request.body, api);
  return undefined;
}

const malformed: HttpResponse = {
  status: 500,
  headers: { 'Content-Type': 'text/html' },
  body: '<html><body><h1>HTTP 500 internal server error</h1>Jsonrpc.Malformed_method_request</body></html>',
};

function json(body: Buffer, api: Api): HttpResponse {
  const call = jsonCall(body);
  if (!call) return malformed;
  const answer = api.call(call.method, call.params);
  const reply = call.isSecond ? second(answer) : first(answer);
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...reply, id: call.id }),
  };
}

const second = (answer: Answer): object =>
  'value' in answer
    ? { jsonrpc: '2.0', result: answer.value }
    : { jsonrpc: '2.0', error: { code: 1, message: answer.fault[0], data: answer.fault.slice(1) } };

const first = (answer: Answer): object =>
  'value' in answer ? { result: answer.value, error: null } : { result: null, error: answer.fault };

interface Call {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly id: unknown;
  readonly isSecond: boolean;
}

function jsonCall(body: Buffer): Call | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (typeof value !== 'object' || value === null || !('method' in value) || !('id' in value)) return undefined;
    if (typeof value.method !== 'string' || value.id === null) return undefined;
    const params = 'params' in value && Array.isArray(value.params) ? value.params : [];
    return { method: value.method, params, id: value.id, isSecond: 'jsonrpc' in value && value.jsonrpc === '2.0' };
  } catch {
    return undefined;
  }
}

function xml(body: Buffer, api: Api): HttpResponse {
  const call = decodeCall(body.toString('utf8'));
  if (!call) return malformed;
  return {
    status: 200,
    headers: { 'Content-Type': 'text/xml' },
    body: encodeAnswer(api.call(call.method, call.params)),
  };
}
