import type { OpenAPIObject } from '@nestjs/swagger';
import { apiDocument } from '../../src/apps/api-document.js';
import type { SocketDocument } from '../../src/apps/async-api.js';
import { socketDocument } from '../../src/apps/socket-document.js';
import { readFromApplication } from '../built-application.js';

/** What the running application serves as descriptions of itself. */
export interface Documents {
  readonly http: OpenAPIObject;
  readonly sockets: SocketDocument;
}

/** Reads them without any of the services that the application needs to run. */
export function readDocuments(): Promise<Documents> {
  return readFromApplication((app) => ({ http: apiDocument(app), sockets: socketDocument(app) }));
}
