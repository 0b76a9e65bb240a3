// imapflow's working day in a mailbox that holds a bag of mail: imapflow.mjs PORT USER PASSWORD
// Needs NODE_PATH-like resolution: it is run from the folder that has node_modules.  Says what it saw as JSON lines.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';

const { ImapFlow } = createRequire(path.join(process.cwd(), 'index.js'))('imapflow');
const [port, user, pass] = process.argv.slice(2);
const say = (what, value) => console.log(JSON.stringify({ what, value }));
const digest = (data) => createHash('sha256').update(data.toString('latin1').replaceAll('\r\n', '\n'), 'latin1').digest('hex');

function connect() {
  return new ImapFlow({ host: '127.0.0.1', port: Number(port), secure: true, auth: { user, pass },
    tls: { rejectUnauthorized: false }, logger: false, qresync: true });
}

async function readAll(client) {
  const digests = [];
  const uids = [];
  for await (const message of client.fetch('1:*', { uid: true, source: true, envelope: true, bodyStructure: true, flags: true })) {
    digests.push(digest(message.source));
    uids.push(message.uid);
  }
  say('digests', digests);
  return uids;
}

async function day(client) {
  say('enabled', [...client.enabled]);
  say('folders', (await client.list({ statusQuery: { messages: true, unseen: true } })).map((f) => [f.path, f.specialUse ?? null, f.status?.messages]));
  const lock = await client.getMailboxLock('INBOX');
  try {
    await readAll(client);
    const find = async (token) => client.search({ header: { 'message-id': `<${token}@example.org>` } }, { uid: true });
    await client.messageFlagsAdd(await find('read'), ['\\Seen', '\\Flagged', 'Work'], { uid: true });
    await client.messageMove(await find('moved'), 'Projects/Älteres', { uid: true });
    await client.messageCopy(await find('read'), 'Archive', { uid: true });
    await client.messageDelete(await find('gone'), { uid: true });
    const appended = await client.append('INBOX', process.env.LETTER.replaceAll('\n', '\r\n'), ['\\Answered']);
    say('appended', appended.uid > 0);
    say('unseen', (await client.search({ seen: false }, { uid: true })).length);
    say('from', (await client.search({ from: 'ann@example.org' }, { uid: true })).length);
  } finally {
    lock.release();
  }
}

// Another connection's message is told to one that idles.
async function idles(client) {
  const other = connect();
  await other.connect();
  await client.mailboxOpen('INBOX');
  const told = new Promise((resolve) => client.on('exists', (event) => resolve(event.count > event.prevCount)));
  const idle = client.idle();
  await other.append('INBOX', 'Subject: idle\r\nMessage-ID: <idle@example.org>\r\n\r\nnow\r\n');
  say('told while idle', await told);
  await client.noop();
  await idle;
  await other.logout();
}

const client = connect();
await client.connect();
await client.mailboxCreate(['Projects', 'Älteres']);
await day(client);
await idles(client);
await client.logout();
say('end', true);
