import { PasswordHasher } from '../../src/platform/crypto/password-hasher.js';
import { PASSWORD, uniqueEmail } from './accounts.fixture.js';
import { AuthFixture } from './auth.fixture.js';
import type { Answer } from './rest.js';

/** Open invitations of one organization at most. */
const INVITATIONS = 90;

/** A request whose answer must not tell whether an email has an account. */
export interface Probe {
  readonly name: string;
  readonly expected: number;
  /** Whether it hashes a password, which takes several times as long as everything else. */
  readonly slow: boolean;
  readonly send: (email: string, from: string) => Promise<Answer>;
}

/** The application, and every request that an attacker could use to find out which emails have accounts. */
export class EnumerationFixture {
  readonly probes: readonly Probe[];
  #organization = { id: '', invitations: INVITATIONS };

  private constructor(
    readonly auth: AuthFixture,
    private readonly passwordHash: string,
    private readonly owner: string,
  ) {
    const { auth: to } = this;
    this.probes = [
      {
        name: 'login',
        expected: 401,
        slow: true,
        send: (identifier, from) => to.post('/auth/login', { identifier, password: 'a wrong password' }, { from }),
      },
      {
        name: 'forgot password',
        expected: 202,
        slow: false,
        send: (identifier, from) => to.post('/auth/forgot-password', { identifier }, { from }),
      },
      {
        name: 'verified registration',
        expected: 202,
        slow: true,
        send: (email, from) => to.post('/auth/register', { email, password: PASSWORD }, { from }),
      },
      {
        name: 'an invitation to an organization',
        expected: 201,
        slow: false,
        send: (email, from) => this.invite(email, from),
      },
    ];
  }

  static async start(env: Readonly<Record<string, string>> = {}): Promise<EnumerationFixture> {
    const fixture = await AuthFixture.start({ REGISTRATION: 'verified', ...env });
    const owner = (await fixture.login((await fixture.createUser()).email)).body.accessToken;
    return new EnumerationFixture(fixture, await fixture.get(PasswordHasher).hash(PASSWORD), owner);
  }

  stop(): Promise<void> {
    return this.auth.stop();
  }

  /** Pairs of emails of the same shape, of which the first has an account. Neither was used in a request before. */
  async createPairs(count: number): Promise<[known: string, unknown: string][]> {
    const pairs = Array.from({ length: count }, () => [uniqueEmail(), uniqueEmail()] as [string, string]);
    await this.auth.sql.rows(
      `INSERT INTO users (id, email, display_name, password_hash, updated_at)
       SELECT gen_random_uuid(), email, 'Ada', $2, now() FROM unnest($1::text[]) AS email`,
      [pairs.map(([known]) => known), this.passwordHash],
    );
    return pairs;
  }

  /** Changes to another organization before the limit of open invitations is reached. */
  async makeRoom(): Promise<void> {
    if (this.#organization.invitations >= INVITATIONS) {
      const { body } = await this.auth.post<{ id: string }>(
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
    return this.auth.post(path, { email, role: 'VIEWER' }, { token: this.owner, from });
  }
}
