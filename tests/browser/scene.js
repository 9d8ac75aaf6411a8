// SPDX-License-Identifier: Apache-2.0
// A laboratory in the middle of its work: two runs, cases in every state there is, files,
// a client that waits and one that went silent.
"use strict";

const zlib = require("node:zlib");
const { Client, Daemon, VERIFY_CLIENT, definition } = require("./daemon.js");

// A PNG of this colour, 64 by 36.
function picture(red, green, blue) {
  const chunk = (name, data) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const head = Buffer.alloc(4),
      tail = Buffer.alloc(4);
    head.writeUInt32BE(data.length);
    tail.writeUInt32BE(crc(body));
    return Buffer.concat([head, body, tail]);
  };
  const size = Buffer.from([0, 0, 0, 64, 0, 0, 0, 36, 8, 2, 0, 0, 0]);
  const line = Buffer.concat([
    Buffer.from([0]),
    ...Array(64).fill(Buffer.from([red, green, blue])),
  ]);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", size),
    chunk("IDAT", zlib.deflateSync(Buffer.concat(Array(36).fill(line)))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function crc(bytes) {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let i = 0; i < 8; i++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

const WEB = "element-web",
  ANDROID = "element-android";

const DEFINITIONS = [
  VERIFY_CLIENT,
  definition(
    "SendMessages",
    [
      { red: "dance", data: { tune: "Blue Danube" } },
      { green: "sing" },
      { parallel: [{ red: "dance" }, { green: "sing" }] },
    ],
    { red: [WEB], green: [WEB, ANDROID] },
  ),
  definition("Flaky", [{ red: "sing" }], { red: ["hydrogen-web"] }, { retries: 1 }),
  definition("Calls", [{ red: "dance", timeout: "10m" }, { red: "sing" }], {
    red: ["element-call"],
  }),
  definition("Broken", [{ red: "dance" }], { red: ["element-x-ios"] }),
  definition(
    "ByHand",
    [
      {
        red: "login",
        data: {
          username: "grace",
          password: "blue moon",
          homeserver_url: { local: "https://hs1.lab.example" },
        },
      },
    ],
    { red: ["element-x-web"] },
  ),
];

// Lead all cases of a run that have their clients, and leave some where they are.
async function playRun(daemon, { last, fails }) {
  const join = (type, members = {}) =>
    new Client(daemon, type).register({
      version: "1.11.87",
      endpoint: "http://lab:8080",
      ...members,
    });
  const isOf = (name) => (one) => one.name.includes(name) && one.state === "success";

  const pair = [await join(WEB), await join(WEB)];
  await Promise.all(pair.map((client) => client.play()));
  const mobile = [await join(WEB), await join(ANDROID, { version: "1.6.20 (F-Droid)" })];
  if (fails) await mobile[0].act("dance", "failed", { details: "no music" });
  await Promise.all(mobile.map((client) => client.play()));
  const messages = [await join(WEB), await join(WEB)];
  await Promise.all(messages.map((client) => client.play()));
  await daemon.waitCase(isOf("green=element-web"), "messages among web clients");
  await messages[0].upload([
    ["screen.png", picture(40, 160, 90), "image/png"],
    ["console.log", "12:00:01 sync done\n12:00:02 sent\n", "text/plain"],
  ]);

  const flaky = await join("hydrogen-web", { version: "0.5.1" });
  await flaky.act("sing", "failed", { details: "no answer from the microphone" });
  await (await join("hydrogen-web", { version: "0.5.1" })).play();

  const broken = await join("element-x-ios", { version: "26.01.0" });
  await broken.expect("dance");
  await broken.upload([
    ["crash.txt", "Fatal error: unexpectedly found nil\n", "text/plain"],
  ]);
  await broken.call("error", {
    error: {
      type: "adapter",
      details:
        "the app crashed while it " +
        "opened the timeline:\nFatal error: unexpectedly found nil",
      path: "Timeline.swift:112",
    },
  });

  const call = await join("element-call", { version: "0.7.0" });
  await call.act("dance", "danced", { tempo: 120 });
  if (!last) await call.play();
  else {
    await call.expect("sing");
    await join(ANDROID, { version: "1.6.20 (F-Droid)", device: "Pixel 7" });
  }
}

// Some runs that have ended, and one that is going; gives the daemon.
async function setScene(earlier = 1) {
  const daemon = await Daemon.start(DEFINITIONS, {
    timeouts: { "idle-client": "1h", "active-client": "1h" },
  });
  try {
    for (let number = 1; number <= earlier; number++) {
      await playRun(daemon, { last: false, fails: number % 3 === 2 });
      const run = (await daemon.get("/runs")).runs[0].id;
      await daemon.post(`/runs/${run}/cancel`);
      await daemon.waitDone();
      await daemon.post("/runs", { label: `nightly 2026-11-${20 + number}` });
      await daemon.waitCase((one) => one.state === "waiting", "the next run");
    }
    await playRun(daemon, { last: true });
    return daemon;
  } catch (problem) {
    await daemon.stop();
    throw problem;
  }
}

module.exports = { picture, setScene };
