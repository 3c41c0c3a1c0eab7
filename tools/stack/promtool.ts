import { provideTool } from './debian.js';

/** The path of Prometheus' own judge of metrics, fetched when the system has none. */
export async function providePromtool(): Promise<string> {
  const { promtool } = await provideTool({
    name: 'promtool',
    package: 'prometheus',
    programs: { promtool: ['promtool'] },
    advice: 'The tests need the promtool of Prometheus: install prometheus.',
  });
  return promtool ?? '';
}
