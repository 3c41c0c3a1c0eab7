import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { AppConfig } from '../../config/app-config.js';
import { UnfitDatabaseError } from './migrations/migration.errors.js';
import { migrationNames } from './migrations/migration-files.js';
import { assertServerVersion, differenceOf, readApplied } from './migrations/schema-version.js';

type UnfitListener = (error: UnfitDatabaseError) => void;

/**
 * Knows whether the database has the schema that this code is written against. A process begins on no other one; once it has
 * begun, a later release may migrate further under it, because migrations leave the release before them running.
 */
@Injectable()
export class DatabaseSchemaStore {
  readonly #known = migrationNames();
  readonly #listeners = new Set<UnfitListener>();
  #version: string | undefined;
  #accepted = false;

  constructor(private readonly config: AppConfig) {}

  /** The newest migration that the database had when it was asked last. */
  get version(): string | undefined {
    return this.#version;
  }

  /** Calls `listener` when the first database that this process sees is not for it. */
  onUnfit(listener: UnfitListener): void {
    this.#listeners.add(listener);
  }

  /** @throws UnfitDatabaseError */
  async verify(client: Pick<pg.ClientBase, 'query'>): Promise<void> {
    if (!this.#accepted) {
      await assertServerVersion(client).catch((error: unknown) => this.refuse(error));
    }
    const applied = await readApplied(client);
    this.#version = applied.at(-1);
    const difference = differenceOf(this.#known, applied, this.config.database.url);
    if (difference && !(difference.isNewer && (this.#accepted || this.config.database.allowNewer))) {
      this.refuse(new UnfitDatabaseError(difference.message));
    }
    this.#accepted = true;
  }

  private refuse(error: unknown): never {
    if (!this.#accepted && error instanceof UnfitDatabaseError) {
      this.#listeners.forEach((listener) => {
        listener(error);
      });
    }
    throw error;
  }
}
