// Loaded into the processes that tests start: when the test's end of standard input closes, in whatever way, they are gone.
process.stdin
  .on('error', () => undefined)
  .on('close', () => process.kill(process.pid, 'SIGKILL'))
  .resume();
process.stdin.unref();
