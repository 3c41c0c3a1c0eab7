import { provideTool } from './debian.js';

/** Path of the nginx that the tests put in front of the application, fetched when the system has none. */
export async function provideNginx(): Promise<string> {
  const { nginx } = await provideTool({
    name: 'nginx',
    package: 'nginx',
    programs: { nginx: ['nginx'] },
    advice: 'The tests need nginx: install nginx.',
  });
  return nginx ?? '';
}
