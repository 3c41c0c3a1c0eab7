import { purgeRule } from '../../platform/scheduling/purge-registry.js';
import { CommandsRepository } from './commands.repository.js';

/** Commands that ended long ago. One that has not is none of its business: the sweeper ends it first. */
export const COMMANDS_PURGE = purgeRule({
  name: 'purge_commands',
  tables: ['commands'],
  keptFor: 'commandsMs',
  from: [CommandsRepository],
  purge: ({ limit, keptMs }, commands) => commands.purge(limit, keptMs),
});
