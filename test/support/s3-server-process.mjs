// An S3-compatible server as a process of its own, with one bucket in a folder. It tells the test where it listens.
import S3rver from 's3rver';

const [directory, bucket] = process.argv.slice(2);
const { port } = await new S3rver({
  address: '127.0.0.1',
  port: 0,
  silent: true,
  directory,
  vhostBuckets: false,
  configureBuckets: [{ name: bucket }],
}).run();
process.send({ port });
