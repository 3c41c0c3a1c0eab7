import { Injectable } from '@nestjs/common';
import { isUniqueViolation } from '../../platform/prisma/prisma-errors.js';
import { Database } from '../../platform/prisma/database.js';
import { EmailTakenError, UsernameTakenError } from './users.errors.js';
import type { User } from './users.types.js';

const USER = { id: true, email: true, username: true, displayName: true, role: true, createdAt: true } as const;

/** Which unique name to look a person up by; already folded. */
export type UserName = ({ readonly email: string } | { readonly username: string }) & {
  /** Only an account that was not deleted. */
  readonly deletedAt?: null;
};

@Injectable()
export class UsersRepository {
  constructor(private readonly database: Database) {}

  /** @throws EmailTakenError, UsernameTakenError: the unique index decides, so two racing registrations cannot both win. */
  async create(user: Omit<User, 'id' | 'createdAt'> & { passwordHash: string }): Promise<User> {
    try {
      return await this.database.prisma((prisma) => prisma.user.create({ data: user, select: USER }));
    } catch (error) {
      if (isUniqueViolation(error, 'email')) {
        throw new EmailTakenError({ cause: error });
      }
      if (isUniqueViolation(error, 'username')) {
        throw new UsernameTakenError({ cause: error });
      }
      throw error;
    }
  }

  findById(id: string): Promise<User | null> {
    return this.database.prisma((prisma) => prisma.user.findUnique({ where: { id }, select: USER }));
  }

  findByName(name: UserName): Promise<User | null> {
    return this.database.prisma((prisma) => prisma.user.findUnique({ where: name, select: USER }));
  }
}
