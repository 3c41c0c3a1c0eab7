import { describe, expect, it } from '@jest/globals';
import { readImport } from './import-file.js';

const ADA = { email: 'ada@example.com', displayName: 'Ada Lovelace' };

describe('readImport', () => {
  it.each([
    ['commas', 'email,displayName\r\nada@example.com,Ada Lovelace\r\n'],
    ['semicolons', 'email;displayName\r\nada@example.com;Ada Lovelace\r\n'],
    ['tabs', 'email\tdisplayName\nada@example.com\tAda Lovelace\n'],
    ['columns in another order and case', '\uFEFFDISPLAYNAME,Email\nAda Lovelace,ada@example.com'],
    ['spaces that do not break', 'email\u00a0,displayName\nada@example.com\u00a0,\u00a0Ada Lovelace\u00a0'],
    ['more columns than names', 'email,displayName,,\nada@example.com,Ada Lovelace,,\n'],
    ['more columns than the header', 'email,displayName\nada@example.com,Ada Lovelace,,,\n'],
    ['rows of separators alone', 'email,displayName,role\n,,\nada@example.com,Ada Lovelace,\n,,\n , ,\n'],
    ['a short row', 'email,displayName,role,username\nada@example.com,Ada Lovelace\n'],
  ])('takes %s', (_name, text) => {
    expect(readImport(text)).toMatchObject({ records: [{ values: ADA }] });
  });

  it('skips the line that names the separator, and counts it', () => {
    expect(readImport('sep=;\r\nemail;displayName\r\nada@example.com;Ada Lovelace\r\n')).toEqual({
      records: [{ line: 3, values: ADA }],
    });
  });

  it.each([
    ['email,displayName,email\na@example.com,A,b@example.com', 'has the column email twice', 1],
    ['sep=,\nEmail,EMAIL\na,b', 'has the column email twice', 2],
    ['email,password\na@example.com,secret', 'has a column "password"; there are', 1],
    ['email|role\na@example.com|USER', 'has a column "email|role"; there are', 1],
    ['displayName,role\nAda,USER', 'has no column email', 1],
    ['email,constructor\na@example.com,x', 'has a column "constructor"', 1],
    [',\n,', 'the file is empty', 1],
    [undefined, 'the file is empty', 1],
  ])('refuses %j as a whole, and says why', (text, fault, line) => {
    expect(readImport(text)).toEqual({ fault: expect.stringContaining(fault), line });
  });

  it('refuses a row with a value that belongs to no column, and no other row', () => {
    expect(readImport('email,,role\nada@example.com,,USER\nb@example.com,x,USER\nc@example.com,,USER,y')).toEqual({
      records: [
        { line: 2, values: { email: 'ada@example.com', role: 'USER' } },
        { line: 3, values: {}, fault: 'has a value in column 2, which has no name' },
        { line: 4, values: {}, fault: 'has a value in column 4, which has no name' },
      ],
    });
  });
});
