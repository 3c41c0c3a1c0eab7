import type { Socket } from 'node:net';

/**
 * Cuts a client that leaves too much unread, in place of waiting until it reads: while the broker waits for one reader, the
 * sender of the message waits with it, and every message behind that one.
 * @param mayWait whether the sender is to wait: for a client of ours, whose pace is the pace of the whole line.
 * @param onCut is told once.
 */
export function limitUnread(
  socket: Socket,
  { maxBytes, mayWait, onCut }: { maxBytes: number; mayWait: () => boolean; onCut: () => void },
): void {
  const write = socket.write.bind(socket) as (...chunk: unknown[]) => boolean;
  socket.write = (...chunk: unknown[]): boolean => {
    const hasRoom = write(...chunk);
    if (mayWait()) {
      return hasRoom;
    }
    if (socket.writableLength > maxBytes && !socket.destroyed) {
      onCut();
      socket.destroy();
    }
    return true;
  };
}
