// An SMTP server as a process of its own. It tells the test where it listens and what it is given, and answers how many
// recipients were named to it so far whenever it is told what to refuse from now on.
import { SMTPServer } from 'smtp-server';

/** The only account whose mail it takes; null takes mail without a login. */
const account = JSON.parse(process.argv[2] ?? 'null');
let refusal = null;
let recipients = 0;
/** How long it thinks about each mail, and to whom it gives no answer at all. */
let pace = { delayMs: 0, hangsFor: null };

const server = new SMTPServer({
  authOptional: account === null,
  allowInsecureAuth: true,
  disabledCommands: ['STARTTLS'],
  onAuth({ username, password }, _session, done) {
    const isTheirs = account !== null && username === account.user && password === account.password;
    done(isTheirs ? null : new Error('No.'), { user: username });
  },
  onRcptTo(_address, _session, done) {
    recipients += 1;
    done(refusal && Object.assign(new Error(refusal.text), { responseCode: refusal.code }));
  },
  onData(stream, { envelope }, done) {
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('end', async () => {
      if (pace.hangsFor !== null && envelope.rcptTo.some(({ address }) => address.startsWith(pace.hangsFor))) {
        return;
      }
      if (pace.delayMs > 0) {
        await new Promise((resolve) => setTimeout(resolve, pace.delayMs));
      }
      const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
      const source = Buffer.concat(chunks).toString();
      envelope.rcptTo.forEach(({ address }) => process.send({ mail: { from, to: address, source } }));
      done();
    });
  },
});

// A client that is killed resets its connection.
server.on('error', () => undefined);
process.on('message', (message) => {
  if (message.refusal !== undefined) {
    refusal = message.refusal;
  }
  if (message.pace) {
    pace = message.pace;
  }
  process.send({ recipients });
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.server.address().port }));
