import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** As Engine.IO has it: `res` where it is a request of its own, and not the upgrade of one. */
type HandshakeRequest = IncomingMessage & { readonly res?: ServerResponse };

/**
 * Whether a client of this origin may connect. A browser says it of each of its pages; what is no browser mostly says nothing.
 * @param isListed whether `CORS_ORIGINS` has it
 * @param publicUrl of the installation
 */
export function mayConnectFrom(
  { headers }: Pick<IncomingMessage, 'headers'>,
  isListed: (origin: string) => boolean,
  publicUrl: string,
): boolean {
  const { origin, host = '' } = headers;
  if (origin === undefined) {
    return true;
  }
  const spelled = origin.toLowerCase();
  if (isListed(spelled)) {
    return true;
  }
  // `null`, which sandboxed frames and local files say, is the origin of no page of ours.
  const page = URL.canParse(spelled) ? new URL(spelled) : null;
  if (!page || !spellingsOf(page).includes(spelled)) {
    return false;
  }
  const here = `${page.protocol}//${host.toLowerCase()}`;
  return page.origin === new URL(publicUrl).origin || (URL.canParse(here) && page.host === new URL(here).host);
}

/** Browsers leave the default port out; other clients need not. */
function spellingsOf({ origin, protocol }: URL): string[] {
  return [origin, `${origin}:${protocol === 'https:' ? '443' : '80'}`];
}

/** Answers a handshake over HTTP in place of Engine.IO, whose own refusal says nothing to a reader. */
export function refuseHandshake(request: HandshakeRequest, status: string, problem: object): void {
  const body = JSON.stringify(problem);
  const type = 'application/problem+json; charset=utf-8';
  const { res } = request;
  if (res && typeof res.writeHead === 'function' && !isUpgrade(request)) {
    res.writeHead(Number.parseInt(status, 10), { 'Content-Type': type, 'Cache-Control': 'no-store' }).end(body);
    return;
  }
  const socket: Socket = request.socket;
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\nCache-Control: no-store\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function isUpgrade({ headers }: IncomingMessage): boolean {
  return headers.upgrade !== undefined;
}
