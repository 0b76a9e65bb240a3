// What the steps of test_thunderbird.py share; each step's code follows it, in one async function of `args`.
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const server = MailServices.accounts.accounts[0].incomingServer;
const folderNamed = (name) => server.rootFolder.getChildNamed(name);

const until = async (question, what) => {
  for (let left = 1200; left > 0; left--) {
    const answer = question();
    if (answer) {
      return answer;
    }
    await new Promise((go) => setTimeout(go, 50));
  }
  throw new Error("no sign of " + what);
};

// A listener for whatever tells of its end, and the promise of that end.
const ending = () => {
  let tell;
  const end = new Promise((resolve) => (tell = resolve));
  const done = (status) => tell(status ?? 0);
  return {
    end,
    listener: {
      QueryInterface: ChromeUtils.generateQI(["nsIUrlListener", "nsIMsgCopyServiceListener"]),
      onStartCopy() {}, OnStartCopy() {}, onProgress() {}, OnProgress() {}, setMessageKey() {}, SetMessageKey() {},
      getMessageId: () => null, GetMessageId: () => null,
      onStopCopy: done, OnStopCopy: done,
      onStartRunningUrl() {}, OnStartRunningUrl() {},
      onStopRunningUrl: (_, status) => done(status), OnStopRunningUrl: (_, status) => done(status),
    },
  };
};

const ended = async (begin) => {
  const { end, listener } = ending();
  begin(listener);
  const status = await end;
  if (status) {
    throw new Error("it ended with 0x" + status.toString(16));
  }
};

const headers = (folder) => [...folder.messages];
const header = (folder, token) => headers(folder).find((h) => h.messageId === token + "@example.org");
const update = (folder) => ended((listener) => folder.QueryInterface(Ci.nsIMsgImapMailFolder) && folder.updateFolderWithListener(null, listener));

// What Thunderbird keeps of each message, in base64, one at a time; octetsOf: how many of one.
const kept = (folder, octetsOf) => headers(folder).map((h) => {
  const stream = folder.getMsgInputStream(h, {});
  const input = Cc["@mozilla.org/binaryinputstream;1"].createInstance(Ci.nsIBinaryInputStream);
  input.setInputStream(stream);
  const octets = btoa(input.readBytes(octetsOf(h)));
  stream.close();
  return octets;
});
