// SPDX-License-Identifier: Apache-2.0
// Pages change while one looks at them, in place: what was scrolled to, focused or opened
// stays; and they find a server again that was away.
"use strict";

const assert = require("node:assert/strict");
const { after, before, describe, it } = require("node:test");
const { Browser, assertQuiet, lampOf } = require("./browser.js");
const { Client, Daemon, definition, until } = require("./daemon.js");

// Enough tests to scroll through; only the client type `last` of them comes.
const MANY = Array.from({ length: 30 }, (_, i) =>
  definition(`Test${i}`, [{ red: "dance" }, { red: "sing" }], { red: [`type-${i}`] }),
);

let browser;
before(async () => {
  browser = await Browser.start();
});
after(() => browser?.stop());

const mark = (page) =>
  page.evaluate(() => {
    window.marked = true;
  });
const isMarked = (page) => page.evaluate(() => window.marked === true);

describe("the board", () => {
  let daemon, page;
  before(async () => {
    daemon = await Daemon.start(MANY);
    page = await browser.open(`${daemon.url}/status`);
  });
  after(async () => {
    await page?.context().close();
    await daemon?.stop();
  });

  it("goes from waiting to success without being loaded again", async () => {
    await mark(page);
    await lampOf(page, "red=type-3", "waiting").waitFor();
    const client = await new Client(daemon, "type-3").register();
    await client.expect("dance");
    await lampOf(page, "red=type-3", "running").waitFor();
    await client.report("danced");
    await client.act("sing", "sung");
    await lampOf(page, "red=type-3", "success").waitFor();
    assert.ok(await isMarked(page), "the page was not loaded again");
  });

  it("keeps the place that was scrolled to, and the focus", async () => {
    const link = page.getByRole("link", { name: "red=type-25" });
    await link.focus();
    await link.evaluate((one) => one.scrollIntoView({ block: "center" }));
    const there = await page.evaluate(() => scrollY);
    assert.ok(there > 0);
    const top = await link.evaluate((one) => one.getBoundingClientRect().top);
    await (await new Client(daemon, "type-24").register()).play();
    await lampOf(page, "red=type-24", "success").waitFor();
    assert.ok(
      await link.evaluate((one) => one === document.activeElement),
      "focus is kept",
    );
    assert.ok(
      Math.abs((await link.evaluate((one) => one.getBoundingClientRect().top)) - top) <
        200,
      "what was looked at is still in sight",
    );
    assert.ok(
      (await page.evaluate(() => scrollY)) > 0,
      "and it did not scroll to the top",
    );
    assert.ok(await isMarked(page));
  });

  it("shows who comes, and who goes", async () => {
    await new Client(daemon, "somebody-new").register({ version: "7.7" });
    await page.getByText("somebody-new").first().waitFor();
    assert.ok(await isMarked(page));
  });

  it("says in the title and the icon how it stands", async () => {
    const before = [
      await page.title(),
      await page.locator("link[rel=icon]").getAttribute("href"),
    ];
    const client = await new Client(daemon, "type-7").register();
    await client.act("dance", "failed");
    await lampOf(page, "red=type-7", "failed").waitFor();
    await until(async () => (await page.title()) !== before[0], "another title");
    assert.notEqual(await page.locator("link[rel=icon]").getAttribute("href"), before[1]);
  });

  it("finds the server again after it was away, and shows what is new", async () => {
    await daemon.kill();
    await page
      .getByRole("status")
      .filter({ hasText: /connect/i })
      .waitFor();
    await daemon.begin();
    await (await new Client(daemon, "type-9").register()).play();
    await lampOf(page, "red=type-9", "success").waitFor();
    await until(
      async () =>
        (await page.getByText(/not connected/i).count()) === 0 ||
        !(await page
          .getByText(/not connected/i)
          .first()
          .isVisible()),
      "the warning goes away",
    );
    assert.ok(await isMarked(page), "the page was not loaded again");
    assertQuiet(page);
  });
});

describe("the page of a case", () => {
  let daemon, page;
  before(async () => {
    daemon = await Daemon.start(MANY.slice(0, 1));
    page = await browser.open(
      `${daemon.url}/status/${(await daemon.cases())[0].id}/status`,
      { timezoneId: "Asia/Kolkata" },
    );
  });
  after(async () => {
    await page?.context().close();
    await daemon?.stop();
  });

  it("goes from waiting to success without being loaded again", async () => {
    await mark(page);
    const client = await new Client(daemon, "type-0").register();
    await client.expect("dance");
    await page.locator("main .lamp[data-state=running]").first().waitFor();
    await client.report("danced");
    await client.act("sing", "sung");
    await page.locator("main .lamp[data-state=success]").first().waitFor();
    await page
      .locator(".transcript")
      .getByText(/dance: danced/)
      .first()
      .waitFor();
    assert.ok(await isMarked(page), "the page was not loaded again");
    assertQuiet(page);
  });

  it("has times of the reader's zone, and UTC in their titles", async () => {
    await page.reload();
    const time = page.locator("main time[title$=UTC]").first();
    await time.waitFor();
    const utc = new Date((await time.getAttribute("title")).replace(",", ""));
    const shown = new Date(`${(await time.innerText()).replace(",", "")} UTC`);
    assert.equal((shown - utc) / 60000, 330);
  });
});
