// SPDX-License-Identifier: Apache-2.0
// Without JavaScript everything is readable, links and forms work, and pages load
// themselves again while something goes on.
"use strict";

const assert = require("node:assert/strict");
const { after, before, describe, it } = require("node:test");
const { Browser } = require("./browser.js");
const { Client, Daemon, definition } = require("./daemon.js");
const { setScene } = require("./scene.js");

let daemon, browser, page;
before(async () => {
  [daemon, browser] = await Promise.all([setScene(), Browser.start()]);
  page = await browser.open(`${daemon.url}/status`, { javaScriptEnabled: false });
});
after(async () => {
  await browser?.stop();
  await daemon?.stop();
});

const hasText = async (...texts) => {
  const all = await page.locator("body").innerText();
  for (const text of texts) assert.match(all, text);
};
const follow = async (name) => {
  await page.getByRole("link", { name }).first().click();
  await page.waitForLoadState();
};

describe("without JavaScript", () => {
  it("the board tells how it stands, and why", async () => {
    await hasText(
      /nightly 2026-11-21/,
      /5 of 9 cases/,
      /element-call/,
      /needs element-/,
      /the app crashed while it opened the timeline/,
      /1\.6\.20 \(F-Droid\)/,
    );
  });

  it("one gets from the board to a case, and back", async () => {
    await follow(/red=element-x-ios/);
    await hasText(
      /error/,
      /the app crashed while it opened the timeline/,
      /crash\.txt/,
      /Timeline\.swift:112/,
    );
    await follow("Board");
    assert.equal(new URL(page.url()).pathname, "/status");
  });

  it("runs, history and actions are there", async () => {
    await follow("Runs");
    await hasText(/nightly 2026-11-21/);
    await follow("History");
    await hasText(/VerifyClient/, /flaky/i, /Broken/);
    await follow("Actions");
    await hasText(/verify_crosssign_emoji/, /registered/);
  });

  it("an error has the way back", async () => {
    await page.goto(`${daemon.url}/status/nothing/status`);
    await hasText(/Not Found/i);
    await page.locator("main a[href]").first().click();
    await page.waitForURL(`${daemon.url}/status`);
  });
});

describe("without JavaScript, while something goes on", () => {
  it("pages load themselves again", async () => {
    const own = await Daemon.start([definition("Solo", [{ red: "dance" }])]);
    try {
      const board = await browser.open(`${own.url}/status`, { javaScriptEnabled: false });
      assert.equal(await board.locator("meta[http-equiv=refresh]").count(), 1);
      await board.getByRole("link", { name: "red=web" }).click();
      await board.locator(".verdict .lamp[data-state=waiting]").waitFor();
      await (await new Client(own, "web").register()).play();
      await board.locator(".verdict .lamp[data-state=success]").waitFor();
      await board.context().close();
    } finally {
      await own.stop();
    }
  });
});
