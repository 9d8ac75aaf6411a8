// SPDX-License-Identifier: Apache-2.0
// Every page as people see it: on a telephone, a desk and a wall, by day, by night and on
// paper. A picture of each goes to the build folder.
"use strict";

const assert = require("node:assert/strict");
const { after, before, describe, it } = require("node:test");
const {
  Browser,
  assertAccessible,
  assertFits,
  assertQuiet,
  shoot,
} = require("./browser.js");
const { setScene } = require("./scene.js");

const DESK = { width: 1920, height: 1080 };
const PHONE = { width: 360, height: 740 };
const WALL = { width: 3840, height: 2160 };
const PAPER = { width: 794, height: 1123 };

const PAGES = {
  board: async () => "/status",
  clients: async () => "/status?view=clients",
  runs: async () => "/runs",
  run: async (daemon) => `/runs/${(await daemon.get("/runs")).runs[1].id}/status`,
  suite: async (daemon) => `/status/${(await daemon.status()).suites[0].id}/suitestatus`,
  "case-running": (daemon) => caseIn(daemon, (one) => one.state === "running"),
  "case-success": (daemon) => caseIn(daemon, (one) => one.files.length === 2),
  "case-error": (daemon) => caseIn(daemon, (one) => one.state === "error"),
  "case-flaky": (daemon) => caseIn(daemon, (one) => one.name.includes("hydrogen")),
  "case-waiting": (daemon) => caseIn(daemon, (one) => one.state === "waiting"),
  "manual-join": async () => "/manual",
  "manual-wait": (daemon) => joined(daemon, "some-client"),
  "manual-asked": (daemon) => joined(daemon, "element-x-web"),
  history: async () => "/history",
  actions: async () => "/actions",
  "not-found": async () => "/status/nothing-like-that/status",
};

async function caseIn(daemon, is) {
  return `/status/${(await daemon.cases()).find(is).id}/status`;
}

// A person who took part by hand, as this type.
async function joined(daemon, type) {
  const id = `person-${type}`;
  await fetch(`${daemon.url}/manual`, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ id, other: type, version: "2026.11", name: "Grace" }),
  });
  return `/manual/${id}`;
}

let daemon, browser;

before(async () => {
  [daemon, browser] = await Promise.all([setScene(5), Browser.start()]);
});
after(async () => {
  await browser?.stop();
  await daemon?.stop();
});

for (const [name, find] of Object.entries(PAGES)) {
  describe(`the page ${name}`, () => {
    let page;

    const look = async (size, colorScheme, media = "screen") => {
      await page.emulateMedia({ colorScheme, media });
      await page.setViewportSize(size);
      await assertFits(page);
      await shoot(
        page,
        `${name}-${media === "print" ? "print" : `${size.width}-${colorScheme}`}`,
      );
    };

    before(async () => {
      page = await browser.open(daemon.url + (await find(daemon)), { viewport: DESK });
    });
    after(() => page.context().close());

    it("is right on a desk", async () => {
      assert.match(await page.title(), /trafficlight/);
      await look(DESK, "dark");
      await look(DESK, "light");
      await assertAccessible(page);
    });
    it("is right on a telephone", async () => {
      await look(PHONE, "light");
      await look(PHONE, "dark");
      await assertAccessible(page);
    });
    it("is right on a wall", async () => {
      if (name === "board") return look(WALL, "dark");
      await page.setViewportSize(WALL);
      await assertFits(page);
    });
    it("is right on paper", () => look(PAPER, "light", "print"));
    it("did nothing behind one's back", () => assertQuiet(page));
  });
}
