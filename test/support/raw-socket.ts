import { eventually } from './wait.js';

/** A connection of Socket.IO on which a test says what no client library does: it sends packets as they are. */
export class RawSocket {
  /** Packets, pings excepted: those are answered. */
  readonly heard: string[] = [];

  private constructor(private readonly socket: WebSocket) {
    socket.addEventListener('message', ({ data }) => {
      const packet = String(data);
      if (packet === '2') {
        this.send('3');
      } else {
        this.heard.push(packet);
      }
    });
  }

  /** Open, and not signed in. */
  static async open(url: string, path = '/socket.io/'): Promise<RawSocket> {
    const raw = new RawSocket(new WebSocket(`${url.replace('http', 'ws')}${path}?EIO=4&transport=websocket`));
    await eventually('the connection is open', () => raw.heard.some((packet) => packet.startsWith('0')));
    return raw;
  }

  static async signedIn(url: string, auth: object, path?: string): Promise<RawSocket> {
    const raw = await RawSocket.open(url, path);
    raw.send(`40${JSON.stringify(auth)}`);
    await eventually('it is signed in', () => raw.heard.some((packet) => packet.startsWith('40')));
    return raw;
  }

  get isClosed(): boolean {
    return this.socket.readyState === WebSocket.CLOSED;
  }

  send(packet: string): void {
    this.socket.send(packet);
  }

  close(): void {
    this.socket.close();
  }
}
