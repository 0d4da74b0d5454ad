/**
 * iSCSI discovery: log in without authentication, ask for the targets, log out. No LUN is touched. RFC 7143 section 13
 * (the keys) and appendix C (SendTargets); the PDUs are in wire/iscsi.ts.
 */
import * as v from 'valibot';
import { answered, declined, type Answer, type Evidence } from '../src/model/outcome.ts';
import { defineProbe, type Conn, type ProbeIo } from '../src/model/probe.ts';
import { wantsCredentials } from '../src/wire/credentials.ts';
import {
  checkOpcode,
  decodeHeader,
  decodeText,
  encodeLogin,
  encodeLogout,
  encodeTextRequest,
  headerBytes,
  isComplete,
  isLoggedIn,
  noTag,
  opcodes,
  type Login,
  type Pair,
  type Pdu,
} from '../src/wire/iscsi.ts';
import { printable } from '../src/wire/text.ts';
import { DecodeError, Reader } from '../src/wire/reader.ts';

const maxSessionBytes = 1024 * 1024;
const maxTargets = 1024;
const maxRounds = 8;
const maxUnsolicited = 4;

/** Evidence is for people and scripts, not a copy of the array's configuration. */
const maxListed = 64;

/** Status class and detail of a login response, RFC 7143 section 11.13.5. */
const loginStatuses = new Map([
  [0x0200, 'the target finds our login wrong'],
  [0x0202, 'this initiator name is not authorised'],
  [0x0203, 'no such target'],
  [0x0204, 'the target was removed'],
  [0x0205, 'the target speaks another version of iSCSI'],
  [0x0206, 'too many connections'],
  [0x0207, 'the target misses a parameter in our login'],
  [0x0208, 'the target cannot include us in the session'],
  [0x0209, 'the target does not offer discovery sessions'],
  [0x020a, 'no such session'],
  [0x020b, 'the target finds our request out of place'],
  [0x0300, 'the target has an internal error'],
  [0x0301, 'the target is not available now'],
  [0x0302, 'the target is out of resources'],
]);

/** Class 1 is no refusal: the portal is alive and sends us to another one. */
const moves = new Map([
  [0x0101, 'for now'],
  [0x0102, 'for good'],
]);
const needsAuthentication = 0x0201;
const notAuthorised = 0x0202;

/** No array knows this initiator; one that knows its hosts by name may show it nothing. */
const ownName = 'iqn.2026-01.io.github.xenreach:probe';

export const iscsi = defineProbe({
  transport: 'tcp',
  port: 3260,
  about: {
    title: 'iSCSI discovery',
    sends: "a discovery login under xenreach's own initiator name, SendTargets=All, a logout",
    proves:
      'a login response to our task tag and the list of targets that this initiator may see; a portal that wants CHAP, or a host that it knows, is reached, and one that sends us elsewhere is a warning',
    client:
      'the storage manager (`iscsi.py` and `BaseISCSI.py` of xapi-project/sm): `iscsiadm -m discovery -t st`, with CHAP where the repository has it, then a login at the portals that discovery names',
    leaves: 'one discovery session; some arrays list the initiator name as unknown',
    reference: 'RFC 7143',
  },
  options: v.strictObject({
    /** The host's own name shows what the host will see. The session id stays random, so no session is taken over. */
    initiatorName: v.optional(
      v.pipe(
        v.string(),
        v.maxLength(223),
        v.regex(/^(?:iqn|eui|naa)\.[!-~]+$/, 'a name that begins with iqn., eui. or naa.'),
      ),
      ownName,
    ),
  }),

  async run(io, target, { initiatorName }) {
    // Format "random": type 10 in the two top bits, a random number, no qualifier.
    const isid = Uint8Array.of(0x80, ...io.random(3), 0, 0);
    // Any tag but the reserved last one. The two that follow are used as well.
    const taskTag = new Reader(io.random(4)).uint32() % 0x8000_0000;
    const session = new Session(await io.connect());

    const login = await logIn(session, isid, taskTag, initiatorName);
    if (login.status !== 0 || login.opcode === opcodes.reject) {
      await session.conn.end();
      return turnedDown(io, login, initiatorName);
    }
    const pairs = await sendTargets(session, taskTag + 1, login.statSN + 1);
    await session.conn.end(encodeLogout(taskTag + 2, session.expStatSN));
    if (pairs === null) return declined('the target rejects SendTargets');

    const valuesOf = (wanted: string): string[] =>
      pairs.filter(([key]) => key === wanted).map(([, value]) => printable(value, 223));
    const targets = valuesOf('TargetName');
    const portals = [...new Set(valuesOf('TargetAddress'))];
    if (targets.length > maxTargets) throw new DecodeError(`${targets.length} targets`, 0);
    tellPortals(io, portals, target.address);
    if (targets.length === 0) io.note('the target list is empty: no target is shown to this initiator name');
    return answered(targets.length === 1 ? `one target: ${targets[0]}` : `${targets.length} targets`, {
      targetCount: targets.length,
      targets: targets.slice(0, maxListed),
      portals: portals.slice(0, maxListed),
    });
  },
});

/** Reads PDUs with the bounds of one session. */
class Session {
  readonly conn: Conn;
  /** What we have seen plus one. */
  expStatSN = 0;
  #bytes = 0;
  #unsolicited = 0;

  constructor(conn: Conn) {
    this.conn = conn;
  }

  /** The answer to `taskTag`: an `expected` PDU or a Reject. */
  async answer(taskTag: number, expected: number): Promise<Pdu> {
    for (;;) {
      // An unsolicited PDU is passed over.
      const pdu = await this.#readPdu();
      if (pdu.opcode === opcodes.nopIn || pdu.opcode === opcodes.asyncMessage) {
        this.#unsolicited += 1;
        if (this.#unsolicited > maxUnsolicited) throw new DecodeError('nothing but unsolicited PDUs', 0);
        continue;
      }
      this.expStatSN = (pdu.statSN + 1) >>> 0;
      if (pdu.opcode === opcodes.reject) return pdu;
      if (pdu.opcode !== expected) throw new DecodeError(`opcode ${pdu.opcode} where ${expected} was due`, 0);
      if (pdu.taskTag !== taskTag)
        throw new DecodeError(`the answer is to task ${pdu.taskTag}, ours was ${taskTag}`, 16);
      return pdu;
    }
  }

  async #readPdu(): Promise<Pdu> {
    const first = await this.conn.read(1);
    checkOpcode(first[0]!);
    const rest = await this.conn.read(headerBytes - 1);
    const { pdu, ahsBytes, dataBytes } = decodeHeader(Buffer.concat([first, rest]));
    const length = ahsBytes + dataBytes + ((4 - (dataBytes % 4)) % 4);
    this.#bytes += headerBytes + length;
    if (this.#bytes > maxSessionBytes) throw new DecodeError(`more than ${maxSessionBytes} bytes in one session`, 0);
    const body = await this.conn.read(length);
    return { ...pdu, segment: body.subarray(ahsBytes, ahsBytes + dataBytes) };
  }
}

/** The last login response: full feature phase, or a status that says why not. */
async function logIn(session: Session, isid: Uint8Array, taskTag: number, initiatorName: string): Promise<Pdu> {
  let login: Login = { isid, session: 0, taskTag, expStatSN: 0, pairs: loginPairs(initiatorName) };
  for (let round = 0; round < maxRounds; round += 1) {
    // A negotiation: each side waits for the other.
    await session.conn.write(encodeLogin(login));
    const response = await session.answer(taskTag, opcodes.loginResponse);
    if (response.opcode === opcodes.reject || response.status !== 0 || isLoggedIn(response)) return response;
    login = { isid, session: response.session, taskTag, expStatSN: session.expStatSN, pairs: [] };
  }
  throw new DecodeError(`no end of the login in ${maxRounds} rounds`, 0);
}

/** Every pair of the answer, which may come in parts; null when the target rejects the question. */
async function sendTargets(session: Session, taskTag: number, expStatSN: number): Promise<readonly Pair[] | null> {
  const parts: Uint8Array[] = [];
  let ask = encodeTextRequest(taskTag, noTag, expStatSN >>> 0, [['SendTargets', 'All']]);
  for (let round = 0; round < maxRounds; round += 1) {
    // Each part names the tag by which the next one is asked for.
    await session.conn.write(ask);
    const response = await session.answer(taskTag, opcodes.textResponse);
    if (response.opcode === opcodes.reject) return null;
    parts.push(response.segment);
    if (isComplete(response)) return decodeText(Buffer.concat(parts));
    ask = encodeTextRequest(taskTag, response.transferTag, session.expStatSN, []);
  }
  throw new DecodeError(`no end of the targets in ${maxRounds} answers`, 0);
}

const loginPairs = (initiatorName: string): readonly Pair[] => [
  ['InitiatorName', initiatorName],
  ['SessionType', 'Discovery'],
  ['HeaderDigest', 'None'],
  ['DataDigest', 'None'],
  ['MaxRecvDataSegmentLength', '8192'],
  ['DefaultTime2Wait', '0'],
  ['DefaultTime2Retain', '0'],
  ['ErrorRecoveryLevel', '0'],
];

function turnedDown(io: ProbeIo, { opcode, reason, status, segment }: Pdu, initiatorName: string): Answer {
  if (opcode === opcodes.reject) return declined(`the target rejects our login, reason ${reason}`);
  const code = status.toString(16).padStart(4, '0');
  const evidence = { loginStatus: code };
  const move = moves.get(status);
  if (move !== undefined) return movedAway(io, `the portal has moved ${move} (status ${code})`, segment, evidence);
  if (status === needsAuthentication) {
    wantsCredentials(io, 'CHAP credentials', 'the list of targets and the login are');
    return answered(`an iSCSI portal that wants CHAP (status ${code})`, evidence);
  }
  if (status === notAuthorised && initiatorName === ownName) {
    wantsCredentials(io, 'the initiator name of a host that it knows', 'what it shows to this host is');
    const detail = `an iSCSI portal that does not know the initiator ${ownName} (status ${code})`;
    return answered(detail, evidence);
  }
  const why = loginStatuses.get(status) ?? 'the target refuses the login';
  const answer: Answer = declined(`${why} (status ${code})`, evidence);
  if (status !== notAuthorised) return answer;
  return { ...answer, remedy: `Add the initiator ${initiatorName} to the hosts of the array.` };
}

/** A host would follow. This check does not: the site has to name the other portal as a target of its own. */
function movedAway(io: ProbeIo, detail: string, segment: Uint8Array, evidence: Evidence): Answer {
  const address = decodeText(segment).find(([key]) => key === 'TargetAddress')?.[1];
  if (address === undefined) return declined(`${detail} and does not say where to`, evidence);
  const movedTo = printable(address);
  io.warn(`the hosts are sent on to ${movedTo}: the way to that portal is not proven, add it to the site`);
  return answered(`${detail}: ${movedTo}`, { ...evidence, movedTo });
}

/** A portal elsewhere needs its own path, and the site's file may not know of it. */
function tellPortals(io: ProbeIo, portals: readonly string[], address: string): void {
  const others = portals.filter((portal) => !portal.startsWith(`${address}:`) && !portal.startsWith(`[${address}]:`));
  if (others.length > 0) io.note(`portals that this check did not try: ${others.slice(0, 8).join(', ')}`);
}
