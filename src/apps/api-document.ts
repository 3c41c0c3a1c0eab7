import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { AppConfig } from '../config/app-config.js';
import { ProblemDto } from '../platform/http/problems/problem.dto.js';
import { problemsUrl } from '../platform/http/problems/http-problems.js';
import { DEVICE_TOKEN_SCHEME } from '../platform/mqtt/requests/device-route.decorator.js';
import { GUIDE, TAGS } from './api-document-guide.js';
import { completeDocument } from './api-document-completion.js';

/** Swagger UI at `/api/docs`, the OpenAPI document at `/api/docs-json`. */
export function serveApiDocument(app: INestApplication): void {
  SwaggerModule.setup('api/docs', app, () => apiDocument(app), {
    jsonDocumentUrl: 'api/docs-json',
    customSiteTitle: 'Mortise API',
    swaggerOptions: { deepLinking: true, persistAuthorization: true, displayRequestDuration: true },
  });
}

export function apiDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Mortise')
    .setDescription(GUIDE)
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' })
    .addBearerAuth(
      { type: 'http', scheme: 'bearer', description: 'The token that a device got when it was registered.' },
      DEVICE_TOKEN_SCHEME,
    )
    .addServer('/');
  TAGS.forEach(([name, description]) => config.addTag(name, description));
  const document = SwaggerModule.createDocument(app, config.build(), {
    extraModels: [ProblemDto],
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  });
  return completeDocument(document, problemsUrl(app.get(AppConfig).http.publicUrl));
}
