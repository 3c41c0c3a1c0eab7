/** Seen to fail: with `@Header`, which refusals do not have. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Query } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { apiDocument } from '../../src/apps/api-document.js';
import { AS_ADA, edgeApp } from '../support/edge-app.js';
import { Authorize } from '../../src/platform/auth/authorize.decorator.js';
import { PageQueryDto } from '../../src/platform/http/page-query.dto.js';
import { Deprecated } from '../../src/platform/http/versions/deprecated.decorator.js';

const LINK = 'https://doors.example.com/docs/versions#bells';
const HEADERS = {
  deprecation: '@1780272000',
  sunset: 'Tue, 01 Jun 2027 00:00:00 GMT',
  link: `<${LINK}>; rel="deprecation"; type="text/html", <${LINK}>; rel="sunset"; type="text/html"`,
};

@Controller('bells')
class BellsController {
  @Get()
  @Authorize()
  @Deprecated({ since: '2026-06-01', sunset: '2027-06-01', link: LINK })
  list(@Query() { limit }: PageQueryDto): number[] {
    return [limit];
  }

  @Get('new')
  @Authorize()
  listAnew(): string[] {
    return [];
  }
}

let app: NestFastifyApplication;

beforeAll(async () => {
  app = await edgeApp([BellsController], []);
});

afterAll(() => app.close());

async function ask(url: string, headers: Record<string, string>): Promise<{ status: number; told: object }> {
  const answer = await app.inject({ method: 'GET', url, headers });
  const told = Object.entries(answer.headers).filter(([name]) => name in HEADERS);
  return { status: answer.statusCode, told: Object.fromEntries(told) };
}

describe('@Deprecated', () => {
  it.each([
    [200, '/bells', AS_ADA],
    [400, '/bells?limit=none', AS_ADA],
    [401, '/bells', {}],
  ])('is told with every answer: %p', async (status, url, headers) => {
    expect(await ask(url, headers)).toEqual({ status, told: HEADERS });
  });

  it('is not told of other routes, and of none that is not there', async () => {
    expect(await ask('/bells/new', AS_ADA)).toEqual({ status: 200, told: {} });
    expect(await ask('/bells/none', AS_ADA)).toEqual({ status: 404, told: {} });
  });

  it('marks the operation in the document', () => {
    const { paths } = apiDocument(app);
    expect(paths['/bells']?.get).toMatchObject({
      deprecated: true,
      externalDocs: { url: LINK, description: 'Goes away on 2027-06-01.' },
    });
    expect(paths['/bells/new']?.get?.deprecated).toBeUndefined();
  });

  it.each([
    ['soon', '2027-06-01'],
    ['2026-06-01', '2026-13-01'],
    ['2026-06-01', '2026-06-01'],
    ['2026-06-01', '2026-11-01'],
  ])('is refused when it is declared, for %p and %p', (since, sunset) => {
    expect(() => Deprecated({ since, sunset, link: LINK })).toThrow();
  });
});
