import { Injectable } from '@nestjs/common';
import { Transactions } from '../../../platform/prisma/transaction.js';
import { UsersService } from '../../users/users.service.js';
import type { User } from '../../users/users.types.js';
import { InvalidCredentialsError } from '../auth.errors.js';
import type { ClientInfo, Credentials } from '../auth.types.js';
import { KnownDevicesService } from './known-devices.service.js';
import { LoginService } from './login.service.js';
import { type OpenSession, SessionsService } from '../sessions/sessions.service.js';

/** A person who just signed in. */
export interface Login {
  readonly session: OpenSession;
  readonly user: User;
  readonly knownDevice: string;
}

/** From the right password to a session. */
@Injectable()
export class Logins {
  constructor(
    private readonly attempts: LoginService,
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly devices: KnownDevicesService,
    private readonly transactions: Transactions,
  ) {}

  /** @throws what {@link LoginService.prove} throws */
  async open(credentials: Credentials, client: ClientInfo): Promise<Login> {
    const person = await this.attempts.prove(credentials, client);
    const { knownDevice, rememberMe = false } = credentials;
    const isKnown = knownDevice !== undefined && this.devices.read(knownDevice, person) !== null;
    return this.transactions.run(async () => {
      const user = await this.users.get(person.userId);
      const session = await this.sessions.open(user, { ...client, rememberMe });
      if (!(await this.users.passwords.noteLogin(person))) {
        // Changed since it was looked at: it would be a session that the change did not end.
        throw new InvalidCredentialsError();
      }
      return { session, user, knownDevice: isKnown ? knownDevice : this.devices.issue(person) };
    });
  }
}
