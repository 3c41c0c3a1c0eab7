import { createHmac } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { deriveKey } from '../../../platform/crypto/derived-key.js';
import { equalInConstantTime } from '../../../platform/crypto/digest.js';
import type { ServedFile } from '../../../platform/http/files/file-answer.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { type ByteRange, FileStore } from '../../../platform/storage/file-store.js';
import { FileNotFoundError } from '../../../platform/storage/storage.errors.js';
import { isUuid } from '../../../shared/ids.js';
import { ExportCoverageService } from '../export-coverage.service.js';
import {
  ExportExpiredError,
  ExportNotPermittedError,
  ExportNotReadyError,
  InvalidLinkError,
} from '../exports.errors.js';
import { ExportsRepository } from '../exports.repository.js';
import { ExportsService } from '../exports.service.js';
import { type CoveredExport, fileKeyOf, MEDIA_TYPES } from '../exports.types.js';

/** How long a link opens the file without a session. */
export const LINK_LASTS_MS = 5 * 60_000;

/** How long the store itself sends a file that a link has opened. Its owner may be refused by us from then on, and not by it. */
const REDIRECT_LASTS_MS = 60_000;

/** A file of which the store may be asked where clients reach it. */
export interface LinkedFile extends ServedFile {
  /** Where clients load it from; null when it is sent by us. */
  readonly locate: () => Promise<string | null>;
}

/** A link to the file of an export. */
export interface ExportLink {
  readonly url: string;
  readonly expiresAt: Date;
}

/** Files of exports as they are read: each time it is asked whether the person may still see what is in them. */
@Injectable()
export class ExportFilesService {
  readonly #key: Buffer;

  constructor(
    private readonly config: AppConfig,
    private readonly exportsService: ExportsService,
    private readonly exports: ExportsRepository,
    private readonly coverage: ExportCoverageService,
    private readonly files: FileStore,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {
    this.#key = deriveKey(config.masterKey(), 'sign_export_links');
  }

  /** @throws ExportNotFoundError, ExportNotReadyError, ExportExpiredError, ExportNotPermittedError */
  async open(userId: string, id: string): Promise<ServedFile> {
    return this.opened(await this.exportsService.getCovered(userId, id), 'session');
  }

  /** The same, for who has a link. @throws InvalidLinkError, and as {@link open} */
  async openByLink(id: string, expires: string, signature: string): Promise<LinkedFile> {
    const isSigned = equalInConstantTime(Buffer.from(this.sign(id, expires)), Buffer.from(signature));
    const found = isSigned && isUuid(id) ? await this.exports.findUntil(id, Number(expires)) : null;
    if (!found) {
      throw new InvalidLinkError();
    }
    return this.opened(found, 'link');
  }

  /** @throws as {@link open} */
  async link(userId: string, id: string): Promise<ExportLink> {
    const found = await this.exportsService.getCovered(userId, id);
    await this.assertReadable(found);
    return this.transactions.run(async () => {
      const expiresAt = await this.exports.timeAfter(LINK_LASTS_MS);
      const expires = String(Math.floor(expiresAt.getTime() / 1_000));
      await this.audit.record({ entity: { type: 'export', id } });
      const query = new URLSearchParams({ expires, signature: this.sign(id, expires) });
      const path = `/api/v1/exports/${id}/file?${query.toString()}`;
      return {
        url: this.config.http.publicUrl.replace(/\/+$/, '') + path,
        expiresAt: new Date(Number(expires) * 1_000),
      };
    });
  }

  private async opened(found: CoveredExport, by: 'session' | 'link'): Promise<LinkedFile> {
    await this.assertReadable(found);
    const { id, type, format, size, sha256, attempts, finishedAt } = found;
    const key = fileKeyOf(found, attempts);
    const mediaType = MEDIA_TYPES[format];
    const fileName = `${type.replaceAll('_', '-')}-${(finishedAt ?? new Date()).toISOString().slice(0, 10)}.${format}`;
    const record = (how: { readonly range?: string; readonly from?: 'store' }): Promise<void> =>
      this.audit.record({
        action: 'export_downloaded',
        actor: `user:${found.userId}`,
        entity: { type: 'export', id },
        after: { type, by, ...how },
      });
    return {
      size: size ?? 0,
      sha256: sha256 ?? '',
      mediaType,
      fileName,
      read: async (range) => {
        await record(range ? { range: `${String(range.start)}-${String(range.end)}` } : {});
        return this.readStored(key, range);
      },
      locate: async () => {
        const url = await this.files.link(key, { fileName, mediaType, expiresInMs: REDIRECT_LASTS_MS });
        if (url !== null) {
          await record({ from: 'store' });
        }
        return url;
      },
    };
  }

  /** @throws ExportExpiredError where the file is gone, as after a restore of the database alone. */
  private async readStored(key: string, range?: ByteRange): Promise<Readable> {
    try {
      return await this.files.read(key, range);
    } catch (error) {
      throw error instanceof FileNotFoundError ? new ExportExpiredError() : error;
    }
  }

  private async assertReadable(found: CoveredExport): Promise<void> {
    if (found.state === 'EXPIRED') {
      throw new ExportExpiredError();
    }
    if (found.state !== 'COMPLETED') {
      throw new ExportNotReadyError(found.state, found.failure);
    }
    if (!(await this.coverage.mayStillSee(found))) {
      throw new ExportNotPermittedError();
    }
  }

  private sign(id: string, expires: string): string {
    return createHmac('sha256', this.#key).update(`${id}.${expires}`).digest('base64url');
  }
}
