import { describe, expect, it } from '@jest/globals';
import { Type } from 'class-transformer';
import { IsInt, IsObject, IsString, Max, ValidateNested } from 'class-validator';
import { IfGiven } from './if-given.js';
import { InvalidRequestError, validated } from './validation.js';

class Inner {
  @IsInt()
  @Max(10)
  level!: number;
}

class Outer {
  @IsString()
  name!: string;

  @ValidateNested()
  @Type(() => Inner)
  inner!: Inner;

  @IfGiven()
  @IsObject()
  any?: object;
}

async function faultsOf(value: unknown): Promise<readonly { detail: string; pointer: string }[]> {
  try {
    await validated(Outer, value);
  } catch (error) {
    return error instanceof InvalidRequestError ? error.errors : [];
  }
  return [];
}

describe('validated', () => {
  it('returns an instance of the class', async () => {
    const value = await validated(Outer, { name: 'x', inner: { level: 3 } });
    expect(value).toBeInstanceOf(Outer);
    expect(value.inner).toBeInstanceOf(Inner);
  });

  it('points at every fault by JSON Pointer', async () => {
    const pointers = (await faultsOf({ name: 5, inner: { level: 11 } })).map(({ pointer }) => pointer);
    expect(pointers).toEqual(['/name', '/inner/level']);
  });

  it('refuses members that are not documented, and escapes their names', async () => {
    const faults = await faultsOf({ name: 'x', inner: { level: 1 }, 'a/b~c': true });
    expect(faults).toEqual([expect.objectContaining({ pointer: '/a~1b~0c' })]);
  });

  it.each(['toString', 'valueOf', 'constructor', 'hasOwnProperty', '__proto__', 'prototype'])(
    'refuses %s, which the library would drop, but not in members of any shape',
    async (name) => {
      expect(
        await faultsOf(JSON.parse(`{"name":"x","inner":{"level":1,"${name}":1},"${name}":1,"any":{"${name}":1}}`)),
      ).toEqual([
        { detail: `property ${name} should not exist`, pointer: `/inner/${name}` },
        { detail: `property ${name} should not exist`, pointer: `/${name}` },
      ]);
    },
  );

  it('breaks at none of them, however deep they are in members that are no objects', async () => {
    const odd: unknown = JSON.parse('{"constructor":"ACME","toString":[{"constructor":1,"valueOf":{"__proto__":2}}]}');
    expect((await faultsOf({ name: odd, inner: [odd] })).map(({ pointer }) => pointer)).toContain('/name');
  });

  it('refuses what is nested without end before anything goes into it', async () => {
    for (const member of ['name', 'inner', 'any']) {
      const deep: unknown = JSON.parse(`{"${member}":${'['.repeat(20_000)}${']'.repeat(20_000)}}`);
      expect(await faultsOf(deep)).toEqual([{ detail: 'must not be nested deeper than 16 levels', pointer: '' }]);
    }
  });

  it.each([[null], [undefined], ['text'], [[]], [42]])('refuses %p, which is no object', async (value) => {
    await expect(validated(Outer, value)).rejects.toThrow();
  });
});
