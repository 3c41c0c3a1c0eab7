import { adoptDatabase, ADOPTION, describeAdoption } from './apps/adoption.js';
import { configOfProgram, print, runProgram } from './apps/program.js';
import { readCommandLine } from './config/command-line.js';

/** `node dist/src/adopt.js`: what `npm run db:adopt` does, where only the image of the application is at hand. */
readCommandLine(ADOPTION);

await runProgram(async () => {
  describeAdoption(await adoptDatabase(configOfProgram(process.env))).forEach(print);
});
