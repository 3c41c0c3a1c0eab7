import type { OpenAPIObject } from '@nestjs/swagger';
import { apiDocument } from '../../src/apps/api-document.js';
import { readFromApplication } from '../built-application.js';

/** The OpenAPI document as the running application serves it, without any of the services that it needs to run. */
export function readApiDocument(): Promise<OpenAPIObject> {
  return readFromApplication(apiDocument);
}
