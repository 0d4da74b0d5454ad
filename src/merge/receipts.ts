/**
 * What the other end saw arrive, laid beside silence: a datagram to a service that never answers is proven when a responder
 * on that host has it from this machine's address. Only such rows are judged anew; silence of a service that must answer
 * stays what it was.
 */
import { probes } from '../check/registry.ts';
import { worst } from '../judge/table.ts';
import { canonicalHost, mayBeNameOf } from '../model/address.ts';
import type { Receipts } from '../model/pair.ts';
import type { ReportCheck } from '../model/report.ts';
import { compare } from './newest.ts';
import type { Part, PartRun, Word } from './part.ts';

type Receipt = Receipts['ports'][number];

export function withReceipts(parts: readonly Part[], receipts: readonly Receipts[]): readonly Part[] {
  if (receipts.length === 0) return parts;
  const sorted = receipts.toSorted((a, b) => compare(JSON.stringify(a), JSON.stringify(b)));
  return parts.map(({ run, words }) => ({
    run,
    words: new Map([...words].map(([row, word]) => [row, wordWith(row, word, run, sorted)])),
  }));
}

function wordWith(row: string, word: Word, run: PartRun, receipts: readonly Receipts[]): Word {
  if (word.verdict !== 'unverified') return word;
  const checks = word.checks.map((check) => {
    const receipt = isOneWaySilence(check) ? receiptOf(check, row, run, receipts) : undefined;
    return receipt ? arrived(check, receipt) : check;
  });
  const changed = checks.filter((check, at) => check !== word.checks[at]);
  const verdict = worst(checks.flatMap((check) => (check.advisory || check.verdict === null ? [] : [check.verdict])));
  if (changed.length === 0) return word;
  if (verdict !== 'pass' && verdict !== 'warn') return { ...word, checks };
  const [first] = changed;
  const more = changed.length > 1 ? ` (${changed.length} checks)` : '';
  return { ...word, verdict, because: `${first!.detail}${more}`, remedy: null, checks };
}

const isOneWaySilence = ({ probe, transport, outcome, verdict }: ReportCheck): boolean =>
  transport === 'udp' && outcome === 'timeout' && verdict === 'unverified' && probes[probe]?.onSilence !== undefined;

function receiptOf(check: ReportCheck, row: string, run: PartRun, receipts: readonly Receipts[]): Receipt | undefined {
  const own = new Set(run.addresses.map(canonicalHost));
  const { mark } = check.evidence;
  // A log has the text and not the sender: the mark in it is of this very check.
  const isFromUs = ({ from, proof, mark: seen }: Receipt): boolean =>
    proof === 'log' ? seen !== null && seen === mark : from !== null && own.has(canonicalHost(from));
  const isOurs = (receipt: Receipt): boolean => {
    const { transport, port, datagrams, row: rows, proof } = receipt;
    return (
      transport === 'udp' &&
      port === check.port &&
      datagrams > 0 &&
      proof !== 'none' &&
      rows.includes(row) &&
      isFromUs(receipt)
    );
  };
  return receipts.filter((each) => isOf(each, check)).flatMap(({ ports }) => ports.filter(isOurs))[0];
}

function isOf({ host, addresses }: Receipts, check: ReportCheck): boolean {
  const names = [check.host, ...(check.address === null ? [] : [check.address])].map(canonicalHost);
  const theirs = new Set(addresses.map(canonicalHost));
  return names.some((name) => theirs.has(name)) || mayBeNameOf(check.host, host);
}

/** A capture sees what reaches the interface; the machine's own firewall comes behind it. */
function arrived(check: ReportCheck, { state, proof, datagrams, from }: Receipt): ReportCheck {
  const isProven = proof !== 'capture';
  const seen = `the other end has ${datagrams} datagrams ${from === null ? 'with the mark of this check' : `from ${from}`} (${proof})`;
  return {
    ...check,
    hint: 'arrived',
    verdict: isProven ? 'pass' : 'warn',
    remedy: null,
    detail: isProven ? `it arrives: ${seen}` : `it reaches the interface: ${seen}; its own firewall is not proven`,
    evidence: { ...check.evidence, pair: { port: state, proof, seen: datagrams, sourceSeen: from } },
  };
}
