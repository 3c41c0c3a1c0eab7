import { parseArgs, type ParseArgsConfig } from 'node:util';

/**
 * What a program was started with. `--help`, and what is not known, end the process before anything is done.
 * @param usage what the program does, and what it takes
 */
export function readCommandLine<C extends ParseArgsConfig>(usage: string, config?: C): ReturnType<typeof parseArgs<C>> {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  }
  try {
    return parseArgs<C>(config);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`);
    process.exit(1);
  }
}
