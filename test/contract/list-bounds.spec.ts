/**
 * A list that is longer than it may be costs a refusal and no more: none of its items is read. class-transformer would make an
 * object of each, and class-validator apply every rule to each of them: 64 KiB of `{}` held a process for a second.
 * Seen to fail: without the look at bounds before a request is read, for every list.
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { plainToInstance } from 'class-transformer';
import { memberRules, ruleNames } from '../../src/platform/http/validation/member-rules.js';
import { nestedClass } from '../../src/platform/http/validation/nested-class.js';
import { InvalidRequestError, validated } from '../../src/platform/http/validation/validation.js';
import { ROOT } from '../../tools/stack/paths.js';

type Dto = new () => object;
interface List {
  readonly dto: Dto;
  readonly member: string;
  /** Where it stands in a request. */
  readonly path: readonly string[];
}

async function dtoClasses(): Promise<Dto[]> {
  const files = globSync('src/**/*.dto.ts', { cwd: ROOT });
  const modules = await Promise.all(files.map((file) => import(join(ROOT, file)) as Promise<Record<string, unknown>>));
  return modules.flatMap((module) => Object.values(module).filter((each): each is Dto => typeof each === 'function'));
}

/** The lists of a class, and those in the objects that it holds. */
function listsIn(dto: Dto, read: Dto = dto, path: readonly string[] = []): List[] {
  return ruleNames(read).flatMap((member) => {
    const isList = Reflect.getMetadata('design:type', read.prototype as object, member) === Array;
    const nested = nestedClass(read, member);
    const here = [...path, member];
    const own = isList ? [{ dto, member: `${read.name}.${member}`, path: here }] : [];
    return nested ? [...own, ...listsIn(dto, nested, isList ? [...here, '0'] : here)] : own;
  });
}

/** A list that counts how often one of its items is read. */
function watched(length: number): { list: unknown; looks: () => number } {
  let looks = 0;
  const list = new Proxy(
    Array.from({ length }, () => ({})),
    {
      get: (items, key, receiver) => {
        looks += /^\d+$/.test(String(key)) ? 1 : 0;
        return Reflect.get(items, key, receiver) as unknown;
      },
    },
  );
  return { list, looks: () => looks };
}

function at(path: readonly string[], value: unknown): unknown {
  return path.reduceRight<unknown>((inner, name) => (name === '0' ? [inner] : { [name]: inner }), value);
}

async function faultsOf(dto: Dto, value: unknown): Promise<InvalidRequestError['errors']> {
  try {
    await validated(dto, value);
  } catch (error) {
    return error instanceof InvalidRequestError ? error.errors : [];
  }
  return [];
}

const lists = (await dtoClasses()).flatMap((dto) => listsIn(dto));
const maxOf = ({ dto, path }: List): number => {
  const holder = path
    .slice(0, -1)
    .reduce<Dto>((type, name) => (name === '0' ? type : (nestedClass(type, name) as Dto)), dto);
  return Number(memberRules(holder, path.at(-1) ?? '').argument('arrayMaxSize'));
};

describe('A list in a request', () => {
  it('is known to this test', () => {
    const members = new Set(lists.map(({ member }) => member));
    expect([...members]).toEqual(
      expect.arrayContaining(['DeviceEventsDto.events', 'WeeklyScheduleDto.windows', 'WeeklyWindowDto.days']),
    );
  });

  it.each(lists)('has a bound: $dto.name $path', (list) => {
    expect(maxOf(list)).toBeGreaterThan(0);
  });

  it.each(lists)('is refused for its length before an item is read: $dto.name $path', async (list) => {
    const max = maxOf(list);
    const { list: items, looks } = watched(max + 1);
    const faults = await faultsOf(list.dto, at(list.path, items));
    expect(looks()).toBe(0);
    expect(faults).toEqual([
      {
        detail: expect.stringMatching(`must have .*${String(max)} items$`) as unknown,
        pointer: `/${list.path.join('/')}`,
      },
    ]);
  });

  it.each(lists)('takes no more than its bound from a text: $dto.name $path', ({ dto, path, ...list }) => {
    const read = plainToInstance(dto, at(path, 'x,'.repeat(8_000)) as object);
    const items = path.reduce<unknown>((value, name) => Reflect.get(value as object, name) as unknown, read);
    expect(Array.isArray(items) ? items.length : 0).toBeLessThanOrEqual(maxOf({ dto, path, ...list }) + 1);
  });
});
