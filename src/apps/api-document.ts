import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { ProblemDto } from '../platform/http/problem.dto.js';
import { completeDocument } from './api-document-completion.js';

/** Swagger UI at `/api/docs`, the OpenAPI document at `/api/docs-json`. */
export function serveApiDocument(app: INestApplication): void {
  SwaggerModule.setup('api/docs', app, () => apiDocument(app), {
    jsonDocumentUrl: 'api/docs-json',
    customSiteTitle: 'Mortise API',
    swaggerOptions: { persistAuthorization: true, displayRequestDuration: true },
  });
}

export function apiDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Mortise')
    .setDescription(
      'The open backend for connected doors and smart devices. Errors are problem documents (RFC 9457); lists are paged ' +
        'by an opaque cursor; times are RFC 3339 in UTC.',
    )
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' })
    .addServer('/')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    extraModels: [ProblemDto],
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  });
  return completeDocument(document);
}
