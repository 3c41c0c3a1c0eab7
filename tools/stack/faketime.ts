import { provideTool } from './debian.js';

/** Path of the library that gives one process another clock, fetched when the system has none. */
export async function provideFaketime(): Promise<string> {
  const { library } = await provideTool({
    name: 'libfaketime',
    package: 'libfaketime',
    programs: {},
    libraries: { library: 'faketime/libfaketime.so.1' },
    advice: 'The tests of clocks that are wrong need it: install libfaketime.',
  });
  return library ?? '';
}
