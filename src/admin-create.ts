import { createAdmin } from './apps/admin-creation.js';
import { print, runProgram } from './apps/program.js';

/** `node dist/src/admin-create.js`: what `npm run admin:create` does, where only the image of the application is at hand. */
await runProgram(async () => {
  print(await createAdmin(process.env, process.argv.slice(2)));
});
