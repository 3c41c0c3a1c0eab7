// The application with faults planted in it, each set off by a signal. Runs what was built.
import { Module } from '@nestjs/common';
import { start } from '../../dist/src/apps/bootstrap.js';
import { loadConfig } from '../../dist/src/config/load-config.js';

function Faults() {
  process.on('SIGUSR2', () => {
    void Promise.reject(new Error('a planted rejection'));
  });
  process.on('SIGHUP', () => {
    throw new Error('a planted exception');
  });
}
Module({})(Faults);

await start(loadConfig(process.env), [Faults]);
