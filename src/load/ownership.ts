/** Whose a file is, and who else can write to it: what was not named by anybody must not be a stranger's. */
import { lstatSync, realpathSync, statSync, type Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { readTextIfThere } from './read-file.ts';

const [byGroup, byOthers] = [0o020, 0o002];
const [fileType, link] = [0o170000, 0o120000];

/** Why a file that only lies there is not taken, or null: it and its folder are the user's or root's, and nobody else's to write. */
export function whyNotOurs(file: string): string | null {
  const euid = process.geteuid?.();
  if (euid === undefined) return null;
  const folder = realpathSync(dirname(resolve(file)));
  return (
    complaint('its folder', statSync(folder), euid) ??
    complaint('it', statSync(file), euid) ??
    complaint('the link', lstatSync(file), euid)
  );
}

function complaint(what: string, { uid, gid, mode }: Stats, euid: number): string | null {
  if (uid !== 0 && uid !== euid) return `${what} belongs to another user (uid ${uid})`;
  // A link has no mode of its own.
  if ((mode & fileType) === link) return null;
  if ((mode & byOthers) !== 0) return `everybody can write to ${what}`;
  return (mode & byGroup) !== 0 && !isOwnGroup(gid, euid) ? `its group can write to ${what}` : null;
}

/** Many systems give each user a group of the same name and let it write: nobody else is in it. */
function isOwnGroup(gid: number, euid: number): boolean {
  if (gid === 0) return true;
  const accounts = readTextIfThere('/etc/passwd')
    .split('\n')
    .map((line) => line.split(':'));
  const user = accounts.find(([, , uid]) => uid === String(euid))?.[0];
  const [name, , , members = ''] =
    readTextIfThere('/etc/group')
      .split('\n')
      .map((line) => line.split(':'))
      .find(([, , id]) => id === String(gid)) ?? [];
  const others = accounts.filter(([, , uid, group]) => group === String(gid) && uid !== String(euid));
  return user !== undefined && name === user && others.length === 0 && (members === '' || members === user);
}
