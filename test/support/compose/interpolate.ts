/** A variable that a file of Compose asks for and that is not set, with what the file says about it. */
export class MissingVariableError extends Error {}

/**
 * What Compose makes of `$$`, `${NAME}`, `${NAME:-default}` and `${NAME:?message}`, where a default may hold more of them:
 * https://docs.docker.com/reference/compose-file/interpolation/. A variable without a value and without a default is an error
 * here; Compose would warn and go on with nothing.
 */
export function interpolate(text: string, variables: Readonly<Record<string, string>>): string {
  let result = '';
  for (let index = 0; index < text.length; index += 1) {
    if (text.startsWith('$$', index)) {
      result += '$';
      index += 1;
    } else if (text.startsWith('${', index)) {
      const end = closingBrace(text, index + 2);
      result += valueOf(text.slice(index + 2, end), variables);
      index = end;
    } else if (text[index] === '$') {
      throw new Error(`A bare $ in ${JSON.stringify(text)}: Compose wants it doubled.`);
    } else {
      result += text[index] ?? '';
    }
  }
  return result;
}

function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let index = from; index < text.length; index += 1) {
    depth += text.startsWith('${', index) ? 1 : text[index] === '}' ? -1 : 0;
    if (depth === 0) {
      return index;
    }
  }
  throw new Error(`A variable without its closing brace in ${JSON.stringify(text)}.`);
}

function valueOf(expression: string, variables: Readonly<Record<string, string>>): string {
  const [, name = '', operator, rest = ''] = /^(\w+)(?:(:[-?])(.*))?$/s.exec(expression) ?? [];
  if (name === '') {
    throw new Error(`This test does not know what Compose makes of \${${expression}}.`);
  }
  const value = variables[name];
  if (value !== undefined && value !== '') {
    return value;
  }
  if (operator !== ':-') {
    throw new MissingVariableError(`required variable ${name} is missing a value: ${rest}`);
  }
  return interpolate(rest, variables);
}
