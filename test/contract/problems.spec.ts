/** Every refusal has a description, and it is the same in the code, in docs/problems.md and at `GET /problems`. */
import { glob, readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { httpProblems, type HttpProblem } from '../../src/platform/http/problems/http-problems.js';
import { DomainError, AsProblem, type ProblemType } from '../../src/shared/domain-error.js';
import { readFromApplication } from '../../tools/built-application.js';
import { renderProblems } from '../../tools/documents/problems.js';

let problems: readonly HttpProblem[];
let document: string;

beforeAll(async () => {
  [problems, document] = await readFromApplication(() => [httpProblems(), renderProblems()] as const);
});

describe('Problems', () => {
  it('are described where their classes are', async () => {
    const undecorated: string[] = [];
    let classes = 0;
    for await (const path of glob('src/**/!(*.spec).ts')) {
      const source = await readFile(path, 'utf8');
      const found = [...source.matchAll(/^(.*)\n(?:export )?(?:abstract )?class (\w+) extends DomainError/gm)];
      classes += found.length;
      undecorated.push(
        ...found
          .filter(([, line = '']) => !/^(@AsProblem\(.*\)|\}?\))$/.test(line))
          .map(([, , name]) => `${path}: ${String(name)}`),
      );
    }
    expect(classes).toBeGreaterThan(60);
    expect(undecorated).toEqual([]);
  });

  it('are told in sentences, each code once', () => {
    expect(problems.length).toBeGreaterThan(70);
    expect(new Set(problems.map(({ code }) => code)).size).toBe(problems.length);
    const incomplete = problems.filter(
      ({ code, meaning, cause, cure }) =>
        !/^[a-z]+(_[a-z]+)*$/.test(code) || ![meaning, cause, cure].every((text) => /^[A-Z`].{8,}\.$/.test(text)),
    );
    expect(incomplete.map(({ code }) => code)).toEqual([]);
  });

  it('are listed in docs/problems.md (write it anew with `npm run docs:problems`)', async () => {
    expect(await readFile('docs/problems.md', 'utf8')).toBe(document);
  });

  it('cannot be described twice under one code', () => {
    const again: ProblemType = { code: 'not_found', kind: 'not_found', meaning: 'M.', cause: 'C.', cure: 'C.' };
    class SampleError extends DomainError {}
    expect(() => {
      AsProblem(again)(SampleError as unknown as new () => DomainError);
    }).toThrow('The problem "not_found" is described twice.');
  });
});
