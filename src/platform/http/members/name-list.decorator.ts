import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ValidateBy } from 'class-validator';
import { closestName } from '../../../shared/closest-name.js';
import { cutText } from '../../../shared/cut-text.js';

interface NameListOptions {
  readonly max: number;
  /** Whether a name may have a leading minus. */
  readonly signed?: boolean;
}

const SHOWN_NAME = 64;

/** Names of a closed list with commas between them, as in `?sort=-createdAt,name`: each at most once. */
export function IsNameList(known: readonly string[], { max, signed = false }: NameListOptions): PropertyDecorator {
  const name = `${signed ? '-?' : ''}(${known.join('|')})`;
  const fault = (value: unknown): string | null => faultOf(value, known, { max, signed });
  return applyDecorators(
    ValidateBy({
      name: 'isNameList',
      validator: {
        validate: (value) => fault(value) === null,
        defaultMessage: (asked) => fault(asked?.value) ?? '',
      },
    }),
    ApiProperty({ type: String, pattern: `^${name}(,${name}){0,${String(max - 1)}}$` }),
  );
}

function faultOf(value: unknown, known: readonly string[], { max, signed }: Required<NameListOptions>): string | null {
  if (typeof value !== 'string') {
    return 'must be names with commas between them';
  }
  const names = namesIn(value).map((each) => (signed ? each.replace(/^-/, '') : each));
  const unknown = names.find((each) => !known.includes(each));
  if (unknown !== undefined) {
    const meant = closestName(unknown, known);
    const hint = meant === undefined ? `it takes ${known.join(', ')}` : `did you mean \`${meant}\`?`;
    return `has a name that is not known here: \`${cutText(unknown, SHOWN_NAME)}\`, ${hint}`;
  }
  if (names.length > max) {
    return `must have at most ${String(max)} names`;
  }
  return new Set(names).size < names.length ? 'must not have a name twice' : null;
}

/** The names of such a list. */
export function namesIn(list: string): string[] {
  return list.split(',');
}
