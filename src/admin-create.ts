import { ADMIN_CREATION, ADMIN_OPTIONS, createAdmin } from './apps/admin-creation.js';
import { print, runProgram } from './apps/program.js';
import { readCommandLine } from './config/command-line.js';

/** `node dist/src/admin-create.js`: what `npm run admin:create` does, where only the image of the application is at hand. */
const { values } = readCommandLine(ADMIN_CREATION, { options: ADMIN_OPTIONS });

await runProgram(async () => {
  print(await createAdmin(process.env, values));
});
