import { AsyncLocalStorage } from 'node:async_hooks';
import { jest } from '@jest/globals';
import { FeedAccessService } from '../../src/features/history/feed/feed-access.service.js';
import { Database } from '../../src/platform/prisma/database.js';
import type { TestApp } from './test-app.js';

/** The names of the statements by which viewers are judged, question by question, until mocks are restored. */
export function traceJudgements(app: TestApp): string[][] {
  const judgements: string[][] = [];
  const current = new AsyncLocalStorage<string[]>();
  const [authorizer, database] = [app.get(FeedAccessService), app.get(Database)];
  const [judge, query, queryHot, prisma] = [
    authorizer.judge.bind(authorizer),
    database.query.bind(database),
    database.queryHot.bind(database),
    database.prisma.bind(database),
  ];
  jest.spyOn(authorizer, 'judge').mockImplementation((viewings) => {
    const statements: string[] = [];
    if (viewings.length > 0) {
      judgements.push(statements);
    }
    return current.run(statements, () => judge(viewings));
  });
  jest.spyOn(database, 'query').mockImplementation((name, text, values) => {
    current.getStore()?.push(name);
    return query(name, text, values);
  });
  jest.spyOn(database, 'queryHot').mockImplementation((name, text, values) => {
    current.getStore()?.push(name);
    return queryHot(name, text, values);
  });
  jest.spyOn(database, 'prisma').mockImplementation((work) => {
    current.getStore()?.push('prisma');
    return prisma(work);
  });
  return judgements;
}
