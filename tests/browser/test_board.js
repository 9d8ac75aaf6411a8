// SPDX-License-Identifier: Apache-2.0
// The board answers who asks it: filters, orders, a matrix, and pages where there is much.
// All of it in the address, so that it can be sent to others.
"use strict";

const assert = require("node:assert/strict");
const { after, before, describe, it } = require("node:test");
const {
  Browser,
  assertAccessible,
  assertFits,
  assertQuiet,
  lampOf,
  shoot,
} = require("./browser.js");
const { Client, Daemon, definition } = require("./daemon.js");
const { setScene } = require("./scene.js");

let browser, scene;
before(async () => {
  [scene, browser] = await Promise.all([setScene(), Browser.start()]);
});
after(async () => {
  await browser?.stop();
  await scene?.stop();
});

// The names of the cases that the page lists, from top to bottom.
const names = (page) =>
  page
    .locator("table.cases tbody th a[href$='/status']")
    .evaluateAll((all) => all.map((one) => one.innerText.replace(/\s+/g, " ").trim()));
// Press the button of the form that these fields belong to, and wait for the answer.
const show = (page) =>
  Promise.all([
    page.waitForNavigation(),
    page.getByRole("button", { name: "Show" }).first().click(),
  ]);

for (const javaScriptEnabled of [true, false]) {
  describe(`the board, ${javaScriptEnabled ? "with" : "without"} scripts`, () => {
    let page;
    before(async () => {
      page = await browser.open(`${scene.url}/status`, { javaScriptEnabled });
    });
    after(() => page?.context().close());

    it("shows only cases in a state", async () => {
      await page
        .getByRole("combobox", { name: /^State/ })
        .first()
        .selectOption("waiting");
      await show(page);
      assert.equal(new URL(page.url()).searchParams.get("state"), "waiting");
      const listed = await names(page);
      assert.ok(listed.length >= 2 && listed.length < 5, `${listed}`);
      assert.equal(
        await page.locator("table.cases tbody .lamp:not([data-state=waiting])").count(),
        0,
      );
    });

    it("shows only cases of a client type, with a text", async () => {
      await page.goto(`${scene.url}/status`);
      await page
        .getByRole("combobox", { name: /^Client/ })
        .first()
        .selectOption("hydrogen-web");
      await show(page);
      assert.deepEqual(await names(page), ["red=hydrogen-web"]);
      await page.goto(`${scene.url}/status`);
      await page.getByLabel("Text").first().fill("timeline");
      await show(page);
      assert.deepEqual(await names(page), ["red=element-x-ios"]);
      await page.getByRole("link", { name: "Clear" }).first().click();
      assert.equal(new URL(page.url()).search, "");
      assert.ok((await names(page)).length >= 9);
    });

    it("shows cases in the order that is asked for", async () => {
      const states = () =>
        page
          .locator("table.cases tbody .state .lamp")
          .evaluateAll((all) =>
            all
              .map((one) => one.dataset.state)
              .filter((state, i, list) => state !== list[i - 1]),
          );
      await page
        .getByRole("combobox", { name: /^Order/ })
        .first()
        .selectOption("state");
      await show(page);
      assert.ok((await names(page)).length >= 9);
      assert.deepEqual(await states(), ["running", "error", "waiting", "success"]);
    });

    it("tells who asks for what it does not know", async () => {
      await page.goto(`${scene.url}/status?state=purple`);
      await page.getByText("purple").first().waitFor();
    });

    it("is a matrix of tests and clients, a lamp for each case", async () => {
      await page.goto(`${scene.url}/status`);
      await page.getByRole("link", { name: "Matrix" }).first().click();
      await page.waitForURL(/view=matrix/);
      const matrix = page.getByRole("table", { name: /by test and clients/i });
      await matrix
        .getByRole("columnheader", { name: "element-web + element-android" })
        .waitFor();
      const row = matrix.getByRole("row").filter({ hasText: "chat.SendMessages" });
      assert.equal(await row.getByRole("link", { name: /success/ }).count(), 2);
      await assertFits(page);
      await matrix.getByRole("link", { name: /^error: chat\.Broken/ }).click();
      await page
        .locator(".verdict")
        .filter({ hasText: /the app crashed/ })
        .waitFor();
    });

    it("tells of clients who waits, who plays what, since when, with what version", async () => {
      await page.goto(`${scene.url}/status`);
      const client = (type) =>
        page.locator("table.clients tbody tr").filter({ hasText: type });
      await client("element-call")
        .filter({ hasText: /playing/ })
        .filter({ hasText: /Calls/ })
        .filter({ hasText: "0.7.0" })
        .filter({ hasText: /ago|just now/ })
        .waitFor();
      await client("1.6.20 (F-Droid)")
        .filter({ hasText: /waiting/ })
        .waitFor();
      assertQuiet(page);
    });
  });
}

describe("the matrix", () => {
  for (const [width, colorScheme] of [
    [1920, "light"],
    [1920, "dark"],
    [360, "light"],
    [360, "dark"],
  ]) {
    it(`is right at ${width} px, ${colorScheme}`, async () => {
      const page = await browser.open(`${scene.url}/status?view=matrix`, {
        viewport: { width, height: 900 },
        colorScheme,
      });
      await assertFits(page);
      await assertAccessible(page);
      await shoot(page, `matrix-${width}-${colorScheme}`);
      await page.context().close();
    });
  }
});

// A hundred client types, each with each.
describe("ten thousand cases", () => {
  let daemon, page;
  before(async () => {
    const types = (letter) => Array.from({ length: 100 }, (_, i) => `${letter}${i}`);
    daemon = await Daemon.start([
      definition("Many", [{ red: "dance" }, { green: "sing" }], {
        red: types("a"),
        green: types("b"),
      }),
    ]);
    page = await browser.open(`${daemon.url}/status`);
  });
  after(async () => {
    await page?.context().close();
    await daemon?.stop();
  });

  it("are counted, and shown page by page", async () => {
    await page.getByRole("heading", { level: 1, name: /of 10,?000/ }).waitFor();
    const first = await names(page);
    assert.ok(first.length >= 20 && first.length <= 500, `${first.length} at once`);
    await assertFits(page);
    await page.goto(`${daemon.url}/status?sort=name`);
    const sorted = await names(page);
    await page.getByRole("link", { name: /Next/ }).first().click();
    await page
      .getByText(/Page 2 of/)
      .first()
      .waitFor();
    const second = await names(page);
    assert.ok(second.length > 0 && !second.some((name) => sorted.includes(name)));
  });

  it("are found", async () => {
    await page.getByLabel("Text").first().fill("a42 b17");
    await show(page);
    assert.ok(
      (await names(page)).includes("red=a42 green=b17"),
      `${(await names(page)).slice(0, 5)}`,
    );
  });

  it("change while one looks", async () => {
    await page.evaluate(() => {
      window.marked = true;
    });
    const players = ["a42", "b17"].map((type) => new Client(daemon, type));
    await Promise.all(players.map(async (one) => (await one.register()).play()));
    await lampOf(page, "red=a42", "success").waitFor();
    assert.ok(await page.evaluate(() => window.marked));
  });

  it("fit into a matrix", async () => {
    await page.goto(`${daemon.url}/status?view=matrix`);
    await page.getByRole("table", { name: /by test and clients/i }).waitFor();
    await assertFits(page);
    await shoot(page, "matrix-many-1280");
    assertQuiet(page);
  });
});
