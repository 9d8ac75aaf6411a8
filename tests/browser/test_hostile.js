// SPDX-License-Identifier: Apache-2.0
// Whatever clients, definitions and addresses say is shown as text, shortened, and never
// executed: on every page, in the real browser.
"use strict";

const assert = require("node:assert/strict");
const { after, before, describe, it } = require("node:test");
const { Browser, assertFits, assertQuiet, shoot } = require("./browser.js");
const { Client, Daemon, definition } = require("./daemon.js");

// What each of these would do, if it could: open a dialog, set a mark, ask elsewhere.
const SCRIPT = `<script>alert(1);window.hacked=1</script>`;
const IMAGE = `"><img src=//evil.example/x onerror="window.hacked=alert(2)">`;
const LINK = `javascript:alert(3)//`;
const ENTITY = `&lt;script&gt;alert(4)&lt;/script&gt; &#x3c;svg onload=alert(5)>`;
const BREAKOUT = `]]></style></title></textarea></svg><iframe srcdoc="<script>alert(6)</script>">`;
const TURNED = "\u202egnirts detrever\u202c \u2066isolated \u200fmark";
const CONTROL = "a\u0000b\u0007c\u001b[31mred\u0085\u2028line\rreturn\tend\ufeff\ufffe";
const EMOJI = "👩‍👩‍👧‍👦🏳️‍🌈 z̷̢͙̈ḁ̶̛l̸̰̀g̵̡̑ȯ̴͜";
// As much as fits into a body of 1 MiB with all the rest.
const LONG = "long" + "x".repeat((1 << 20) - (1 << 14));
const WORDS = [SCRIPT, IMAGE, LINK, ENTITY, BREAKOUT, TURNED, CONTROL, EMOJI].join(" ");

// As far as a definition may go: names of tests and roles are plain, and a type has no "/".
const TYPE = `<b><script>alert(7)"'&\u202e`;
const TUNE = WORDS.replaceAll("\0", "");
const DEFINITIONS = [
  definition(
    "Bad",
    [
      { red: "dance", data: { tune: TUNE } },
      { red: "sing", expect: "sung" },
    ],
    { red: [TYPE] },
    { description: TUNE },
  ),
  definition(
    "ByHand",
    [{ red: "dance", data: { tune: TUNE, [IMAGE.slice(0, 20)]: { [LINK]: [TUNE] } } }],
    { red: ["phone"] },
  ),
  definition("Asked", [{ red: "dance", data: { tune: TUNE } }, { red: "sing" }]),
];

let daemon, browser, page, ids;

// A case that was told everything there is to tell, by clients that mean ill.
async function tellAll() {
  const members = {
    version: WORDS,
    endpoint: LINK,
    [SCRIPT]: { [IMAGE]: [WORDS, TURNED] },
    big: LONG,
  };
  const red = await new Client(daemon, TYPE).register(members);
  await red.act("dance", "danced", { said: WORDS, [SCRIPT]: IMAGE, big: LONG });
  await red.upload([
    [`<b>${TURNED}.html`, `<script>alert(9);parent.hacked=1</script>`, "text/html"],
    [
      "x'\"><img src=x onerror=alert(10)>.svg",
      `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(11)"><script>alert(12)</script></svg>`,
      "image/svg+xml",
    ],
    ["page.png", `<html><script>alert(13)</script></html>`, "image/png"],
    ["log.txt", WORDS + LONG, "text/plain"],
    ["film.mp4", `<script>alert(14)</script>`, "video/mp4"],
    ["l".repeat(300) + ".txt", "long name", "text/plain"],
  ]);
  await red.expect("sing");
  await red.report("sung " + WORDS);

  const web = await new Client(daemon, "web").register(members);
  await web.expect("dance");
  await web.call("error", {
    error: { type: "adapter", details: WORDS + LONG, path: IMAGE },
  });
  await web.call("error", { error: { type: SCRIPT, details: WORDS, path: LINK } });

  await new Client(daemon, `${EMOJI}${SCRIPT}`.slice(0, 60)).register(members);
  await new Client(daemon, TURNED).register(members);
}

before(async () => {
  [daemon, browser] = await Promise.all([Daemon.start(DEFINITIONS), Browser.start()]);
  await tellAll();
  const status = await daemon.status();
  ids = {
    cases: status.suites
      .flatMap((suite) => suite.cases)
      .filter((one) => one.state !== "waiting")
      .map((one) => one.id),
    suites: status.suites.map((suite) => suite.id),
    files: status.suites.flatMap((suite) =>
      suite.cases.flatMap((one) =>
        one.files.map(
          (file) => `/status/${one.id}/files/${encodeURIComponent(file.name ?? file)}`,
        ),
      ),
    ),
    run: (await daemon.get("/runs")).runs[0].id,
  };
  await daemon.post("/runs", { label: WORDS, only: [`chat.${SCRIPT}*`] });
  await daemon.post("/runs", { label: WORDS, only: ["chat.Asked*"] });
  page = await browser.open(`${daemon.url}/status`, {
    viewport: { width: 360, height: 740 },
  });
});
after(async () => {
  await browser?.stop();
  await daemon?.stop();
});

// The page shows what is there, does nothing, and stays in its place. Gives its text, and
// a picture of this name.
async function assertHarmless(url, name) {
  await page.goto(daemon.url + url);
  const hacked = await page.evaluate(() => ({
    mark: window.hacked,
    scripts: document.querySelectorAll("script:not([src])").length,
    frames: document.querySelectorAll(
      "iframe, embed, object:not([data^='statemachine.svg'])",
    ).length,
    handlers: [...document.querySelectorAll("*")].flatMap((one) =>
      one.getAttributeNames().filter((attribute) => attribute.startsWith("on")),
    ),
    addresses: [...document.querySelectorAll("a, form, img, video, source")]
      .map((one) => one.href || one.action || one.src || "")
      .filter((address) => /^(javascript|data):/i.test(address)),
  }));
  assert.deepEqual(hacked, {
    mark: undefined,
    scripts: 0,
    frames: 0,
    handlers: [],
    addresses: [],
  });
  await assertFits(page);
  assertQuiet(page);
  if (name) await shoot(page, `hostile-${name}-360`);
  return page.evaluate(() => document.body.innerText);
}

// No character that turns the text around it, or controls a terminal.
function assertVisible(text) {
  const bad =
    /.{0,20}[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069].{0,20}/g;
  assert.deepEqual(
    (text.match(bad) || []).map((one) => JSON.stringify(one)),
    [],
  );
}

describe("hostile words", () => {
  it("are text on the board, shortened", async () => {
    const text = await assertHarmless("/status", "board");
    assertVisible(text);
    assert.ok(text.includes("<b><script>alert(7)"), "the type of the client is there");
    assert.ok(text.length < 50000, `${text.length} characters`);
    assertVisible(await assertHarmless("/status?view=matrix", "matrix"));
    assertVisible(await assertHarmless("/status?view=clients", "clients"));
  });

  it("are text on the page of a suite", async () => {
    for (const id of ids.suites)
      assertVisible(await assertHarmless(`/status/${id}/suitestatus`, "suite"));
  });

  it("are text on the page of a case, shortened", async () => {
    for (const [i, id] of ids.cases.entries()) {
      const text = await assertHarmless(`/status/${id}/status`, `case${i}`);
      assertVisible(text);
      assert.ok(text.includes("<script>alert(1);"), "what was said is there");
      assert.ok(text.length < 1000000, `${text.length} characters`);
    }
  });

  it("are text in runs and history", async () => {
    assertVisible(await assertHarmless("/runs", "runs"));
    assertVisible(await assertHarmless(`/runs/${ids.run}/status`, "run"));
    assertVisible(await assertHarmless("/history", "history"));
  });

  it("are text for a person who takes part, and from one", async () => {
    assertVisible(await assertHarmless("/manual", "manual"));
    await page.getByLabel("Or another kind").fill("phone");
    await page.getByLabel("Its version").fill(TUNE.slice(0, 150));
    await page.getByLabel("Your name").fill(SCRIPT);
    await page.getByRole("button", { name: "Join" }).click();
    await page.waitForURL(/manual\/./);
    await page.getByText("dance", { exact: true }).first().waitFor();
    const place = new URL(page.url()).pathname;
    assertVisible(await assertHarmless(place, "manual-asked"));
    assert.ok((await page.getByText(SCRIPT).count()) > 0, "what it is given is there");
    await page.getByText("It did not work").click();
    await page.getByLabel("What went wrong?").fill(WORDS + LONG.slice(0, 100000));
    await page.getByRole("button", { name: "Report that it failed" }).click();
    await page.getByRole("heading", { name: "You are done" }).waitFor();
    assertVisible(await assertHarmless(place, "manual-done"));
    const mine = await daemon.waitCase(
      (one) => one.name === "red=phone" && one.state === "failed",
      "it failed",
    );
    assertVisible(await assertHarmless(`/status/${mine.id}/status`, "manual-case"));
  });

  it("are text among the actions", async () => {
    await assertHarmless("/actions", "actions");
  });

  it("are text on the page of an error", async () => {
    for (const url of [
      `/status/${encodeURIComponent(SCRIPT)}/status`,
      `/${encodeURIComponent(IMAGE)}`,
      `/runs/${encodeURIComponent(TURNED)}/status`,
      `/static/${encodeURIComponent(SCRIPT)}`,
    ]) {
      assertVisible(await assertHarmless(url));
    }
  });

  it("harm nobody in the address", async () => {
    const words = encodeURIComponent(TUNE);
    for (const name of ["q", "test", "client", "state", "sort", "view", "page"])
      assertVisible(await assertHarmless(`/status?${name}=${words}`, `query-${name}`));
  });

  it("harm nobody in files, which are not run as pages", async () => {
    assert.ok(ids.files.length >= 5, `${ids.files}`);
    for (const url of ids.files) {
      const answer = await fetch(daemon.url + url);
      const name = decodeURIComponent(url);
      await answer.arrayBuffer();
      assert.equal(answer.headers.get("x-content-type-options"), "nosniff", name);
      assert.match(answer.headers.get("content-security-policy"), /sandbox/, name);
      if (/\.(html|svg)$/.test(name))
        assert.match(answer.headers.get("content-disposition"), /attachment/, name);
    }
  });

  it("harm nobody in the picture of the machine, opened by itself", async () => {
    for (const id of ids.cases)
      for (const picture of ["statemachine.svg", "context.svg"]) {
        await page.goto(`${daemon.url}/status/${id}/${picture}`);
        assert.equal(await page.evaluate(() => window.hacked), undefined);
        assertQuiet(page);
      }
  });
});
