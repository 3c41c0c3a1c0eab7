import type { Socket } from 'node:net';

export const HEAD = 'HTTP/1.1 200 OK\r\n';

/** Sends the head, and then the piece without end, as fast as it is read. */
export function endless(head: string, piece: string): (socket: Socket) => void {
  return (socket) => {
    const more = (): void => {
      let goesOn = true;
      while (goesOn) {
        goesOn = !socket.destroyed && socket.write(piece);
      }
    };
    socket.write(head);
    socket.on('drain', more);
    more();
  };
}

/** Sends the head, and then a byte now and then. */
export function dripping(head: string): (socket: Socket) => void {
  return (socket) => {
    socket.write(head);
    const timer = setInterval(() => socket.write('a'), 100);
    socket.on('close', () => {
      clearInterval(timer);
    });
  };
}

/** Sends that, and closes. */
export function ending(text: string): (socket: Socket) => void {
  return (socket) => {
    socket.end(text);
  };
}
