import { randomUUID } from 'node:crypto';
import { PasswordHasher } from '../../src/platform/crypto/password-hasher.js';
import { FrontDoor, SECRET } from './front-door.js';
import type { Answer } from './rest.js';

/** Open at a time in one organization. */
const INVITATIONS = 90;

/** A request from which nobody may learn whether an address has an account. */
export interface Question {
  readonly asks: string;
  readonly expected: number;
  /** Whether it hashes a password, which takes several times as long as everything else. */
  readonly slow: boolean;
  readonly ask: (email: string, from: string) => Promise<Answer>;
}

/** Where such questions are asked, by strangers and by the manager of an organization. */
export class EnumerationScene {
  readonly questions: readonly Question[];
  #organization = { id: '', invitations: INVITATIONS };

  private constructor(
    readonly door: FrontDoor,
    private readonly passwordHash: string,
    private readonly owner: string,
  ) {
    const { door: to } = this;
    this.questions = [
      {
        asks: 'login',
        expected: 401,
        slow: true,
        ask: (identifier, from) => to.post('/auth/login', { identifier, password: 'a wrong password' }, { from }),
      },
      {
        asks: 'forgot password',
        expected: 202,
        slow: false,
        ask: (identifier, from) => to.post('/auth/forgot-password', { identifier }, { from }),
      },
      {
        asks: 'verified registration',
        expected: 202,
        slow: true,
        ask: (email, from) => to.post('/auth/register', { email, password: SECRET }, { from }),
      },
      {
        asks: 'an invitation to an organization',
        expected: 201,
        slow: false,
        ask: (email, from) => this.invite(email, from),
      },
    ];
  }

  static async open(env: Readonly<Record<string, string>> = {}): Promise<EnumerationScene> {
    const door = await FrontDoor.open({ REGISTRATION: 'verified', ...env });
    const owner = (await door.login((await door.person()).email)).body.accessToken;
    return new EnumerationScene(door, await door.get(PasswordHasher).hash(SECRET), owner);
  }

  close(): Promise<void> {
    return this.door.close();
  }

  /** Addresses alike, of which the first of each pair has an account. Nobody ever asked for either. */
  async freshPairs(count: number): Promise<[known: string, unknown: string][]> {
    const pairs = Array.from({ length: count }, () => [address(), address()] as [string, string]);
    await this.door.sql.rows(
      `INSERT INTO users (id, email, display_name, password_hash, updated_at)
       SELECT gen_random_uuid(), email, 'Ada', $2, now() FROM unnest($1::text[]) AS email`,
      [pairs.map(([known]) => known), this.passwordHash],
    );
    return pairs;
  }

  /** So that none of the next questions is the one for which there is no more room. */
  async makeRoom(): Promise<void> {
    if (this.#organization.invitations >= INVITATIONS) {
      const { body } = await this.door.post<{ id: string }>(
        '/organizations',
        { name: 'Lighthouse' },
        { token: this.owner },
      );
      this.#organization = { id: body.id, invitations: 0 };
    }
  }

  private invite(email: string, from: string): Promise<Answer> {
    this.#organization.invitations += 1;
    const path = `/organizations/${this.#organization.id}/invitations`;
    return this.door.post(path, { email, role: 'VIEWER' }, { token: this.owner, from });
  }
}

function address(): string {
  return `${randomUUID()}@example.com`;
}
