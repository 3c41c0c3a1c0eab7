import { describe, expect, it } from '@jest/globals';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateNested,
} from 'class-validator';
import { IfGiven } from '../members/if-given.js';
import { OftenCalled } from './often-called.decorator.js';
import { InvalidRequestError, validated, validationPipe } from './validation.js';

class Inner {
  // In an order that no client should notice.
  @Max(10)
  @Min(1)
  @IsInt()
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

class Message {
  @OftenCalled('mail', 'login')
  @Length(2, 5)
  @IsString()
  identifier!: string;

  @IfGiven()
  @IsIn(['fast', 'slow'])
  pace = 'slow';

  @IfGiven()
  @ArrayMaxSize(2)
  @IsIn(['a', 'b'], { each: true })
  @IsArray()
  list?: string[];

  @IfGiven()
  @Max(30_000)
  @Min(1_000)
  @IsInt()
  durationMs?: number;

  @IfGiven()
  @IsBoolean()
  loud?: boolean;

  @IfGiven()
  @MaxLength(3)
  @Matches(/^x/, { message: 'must begin with x' })
  code?: string;

  @IfGiven()
  @MinLength(2)
  @IsString()
  long?: string;

  @IfGiven()
  @IsObject({ each: true })
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => Inner)
  inners?: Inner[];
}

async function faultsOf(
  value: unknown,
  type: new () => object = Outer,
): Promise<readonly { detail: string; pointer: string }[]> {
  try {
    await validated(type, value);
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
        { detail: `\`inner.${name}\` is not known here`, pointer: `/inner/${name}` },
        { detail: `\`${name}\` is not known here`, pointer: `/${name}` },
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
      expect(await faultsOf(deep)).toEqual([
        { detail: 'the body must not be nested deeper than 16 levels', pointer: '' },
      ]);
    }
  });

  it.each([[null], [undefined], ['text'], [[]], [42]])('refuses %p, which is no object', async (value) => {
    await expect(validated(Outer, value)).rejects.toThrow();
  });
});

const DURATION = '`durationMs` must be a whole number of milliseconds between 1000 and 30000';

describe('The words for a fault', () => {
  it.each<[string, unknown, string[]]>([
    ['what is missing', {}, ['`identifier` is missing']],
    ['null', { identifier: null }, ['`identifier` must be text, not null']],
    ['a number', { identifier: 7 }, ['`identifier` must be text, not a number']],
    ['a short text', { identifier: 'a' }, ['`identifier` must have 2 to 5 characters']],
    ['a choice', { identifier: 'abc', pace: 'warp' }, ['`pace` must be one of fast, slow']],
    ['no choice', { identifier: 'abc', pace: null }, ['`pace` must be one of fast, slow, not null']],
    ['a text for a number', { identifier: 'abc', durationMs: '5' }, [`${DURATION}, not text`]],
    ['a part', { identifier: 'abc', durationMs: 1.5 }, [DURATION]],
    ['too much', { identifier: 'abc', durationMs: 30_001 }, [DURATION]],
    ['true in quotes', { identifier: 'abc', loud: 'true' }, ['`loud` must be true or false, not text']],
    ['words of the rule', { identifier: 'abc', code: 'y' }, ['`code` must begin with x']],
    ['size before form', { identifier: 'abc', code: 'yyyy' }, ['`code` must have at most 3 characters']],
    ['a lower bound', { identifier: 'abc', long: 'y' }, ['`long` must have at least 2 characters']],
    ['no list', { identifier: 'abc', list: 'a' }, ['`list` must be a list, not text']],
    ['an item', { identifier: 'abc', list: ['a', 'c'] }, ['`list`: each of them must be one of a, b']],
    ['many items', { identifier: 'abc', list: ['a', 'b', 'a'] }, ['`list` must have at most 2 items']],
    ['a list for an object', { identifier: 'abc', inners: {} }, ['`inners` must be a list, not an object']],
    [
      'members of members',
      { identifier: 'abc', inners: [{ level: 1 }, { level: 11 }, {}, { leval: 1, level: 1 }, { leval: 1 }] },
      [
        '`inners[1].level` must be a whole number between 1 and 10',
        '`inners[2].level` is missing',
        '`inners[3].leval` is not known here',
        '`inners[4].leval` is not known here, did you mean `level`?',
        '`inners[4].level` is missing',
      ],
    ],
  ])('says one thing of each member, the most basic one: %s', async (_what, value, details) => {
    expect((await faultsOf(value, Message)).map(({ detail }) => detail)).toEqual(details);
  });

  it.each([
    ['mail', '`identifier`?'],
    ['Log-In', '`identifier`?'],
    ['identifer', '`identifier`?'],
    ['duration', '`durationMs`?'],
    ['duration_ms', '`durationMs`?'],
    ['DURATIONMS', '`durationMs`?'],
  ])('asks whether %s is %s', async (name, meant) => {
    expect(await faultsOf({ [name]: 'abc' }, Message)).toEqual([
      { detail: `\`${name}\` is not known here, did you mean ${meant}`, pointer: `/${name}` },
      { detail: '`identifier` is missing', pointer: '/identifier' },
    ]);
  });

  it.each(['x', 'li', 'temperature', 'Pace!', 'identifier'.repeat(5)])('does not guess at %s', async (name) => {
    const sent = { identifier: 'abc', pace: 'slow', [name]: 1 };
    expect((await faultsOf(sent, Message)).map(({ detail }) => detail)).toEqual([`\`${name}\` is not known here`]);
  });

  it('proposes what has a default, but not what is there', async () => {
    const details = async (sent: object): Promise<string[]> =>
      (await faultsOf({ identifier: 'abc', ...sent }, Message)).map(({ detail }) => detail);
    expect(await details({ pase: 'fast' })).toEqual(['`pase` is not known here, did you mean `pace`?']);
    expect(await details({ pase: 'fast', pace: 'slow' })).toEqual(['`pase` is not known here']);
    expect(await details({ email: 'a@example.com' })).toEqual(['`email` is not known here']);
  });

  it('is the detail of the whole: the first one, while `errors` has all', async () => {
    const refused = validated(Message, { durationMs: null, loud: 1 });
    await expect(refused).rejects.toMatchObject({
      message: '`identifier` is missing',
      errors: [{ pointer: '/identifier' }, { pointer: '/durationMs' }, { pointer: '/loud' }],
    });
  });

  it('blames no parameter of a query for being text', async () => {
    const refused = validationPipe().transform(
      { identifier: 'abc', loud: 'yes' },
      { type: 'query', metatype: Message },
    );
    await expect(refused).rejects.toMatchObject({ message: '`loud` must be true or false' });
  });

  it('repeats no more of a name than a line, and looks up no more than a few', async () => {
    const long = 'n'.repeat(10_000);
    expect((await faultsOf({ identifier: 'abc', [long]: 1 }, Message))[0]?.detail).toBe(
      `\`${'n'.repeat(64)}\` is not known here`,
    );
    const many = Object.fromEntries(Array.from({ length: 8_000 }, (_, index) => [`loud${index.toString(36)}`, 1]));
    const begin = performance.now();
    const faults = await faultsOf(many, Message);
    expect(faults).toHaveLength(1_000);
    expect(faults.filter(({ detail }) => detail.endsWith('?'))).toHaveLength(20);
    expect(performance.now() - begin).toBeLessThan(2_000);
  });
});
