import { pbkdf2Sync, randomBytes } from 'node:crypto';

const ITERATIONS = 101;

/** A password file of Mosquitto, as `mosquitto_passwd` writes it (PBKDF2 with SHA-512). */
export function passwordFile(accounts: readonly { name: string; password: string }[]): string {
  return accounts.map(({ name, password }) => `${name}:${hash(password)}\n`).join('');
}

function hash(password: string): string {
  const salt = randomBytes(12);
  const key = pbkdf2Sync(password, salt, ITERATIONS, 64, 'sha512');
  return `$7$${String(ITERATIONS)}$${salt.toString('base64')}$${key.toString('base64')}`;
}
