/** Loaded before a server (`--import`): it collects its garbage when it is told to, so that its memory can be compared. */
process.on('SIGUSR2', () => {
  (globalThis as { gc?: () => void }).gc?.();
});
