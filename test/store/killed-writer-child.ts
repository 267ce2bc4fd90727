// A writer to be killed: adds records and blobs without end, and says after each commit how many blobs are kept.
// Arguments: the store's path, and the number of records that go into each generation that is finished.

import { openStore } from '../../src/store/store.ts';
import { fileRecord, request } from './sample-records.ts';

const [file = '', perGeneration = '0'] = process.argv.slice(2);
const store = openStore(file, 'write');
const { run, resumed } = store.openRun('scan');
process.stdout.write(`opened ${resumed ? 'again' : 'first'}\n`);
let blobs = [...run.numbers('shard')].length;
let at = BigInt(store.generations('nightly').length);
for (;;) {
  const writer = store.createGeneration(request(at));
  for (let i = 0; i < Number(perGeneration); i++) {
    writer.add(fileRecord(`/${String(i).padStart(9, '0')}`, `${at} ${i}`));
    if (i % 1000 !== 999) continue;
    run.putBlob('shard', blobs, Buffer.alloc(5000, blobs % 256));
    blobs += 1;
    run.flush();
    process.stdout.write(`kept ${blobs}\n`);
  }
  writer.finish();
  at += 1n;
  process.stdout.write(`finished ${at}\n`);
}
