// SPDX-License-Identifier: Apache-2.0
// A person as a client: /manual leads through a whole test, with the page's script and
// without it.
"use strict";

const assert = require("node:assert/strict");
const { after, afterEach, before, beforeEach, describe, it } = require("node:test");
const {
  Browser,
  assertAccessible,
  assertFits,
  assertQuiet,
  shoot,
} = require("./browser.js");
const { Client, Daemon, VERIFY_CLIENT, definition, until } = require("./daemon.js");
const { picture } = require("./scene.js");

const PHONE = { width: 360, height: 740 };
const isEnded = (one) => ["success", "failed", "error"].includes(one.state);

let browser, daemon, page;
before(async () => {
  browser = await Browser.start();
});
after(() => browser?.stop());
beforeEach(() => {
  page = daemon = undefined;
});
afterEach(async () => {
  await page?.context().close();
  await daemon?.stop();
});

const shown = (text) => page.getByRole("heading", { level: 1, name: text });
const press = (name) => page.getByRole("button", { name, exact: true }).click();

async function open(definitions, options) {
  daemon = await Daemon.start(definitions);
  page = await browser.open(`${daemon.url}/manual`, { viewport: PHONE, ...options });
}

async function join(type) {
  await page.getByRole("radio", { name: type }).first().check();
  await page.getByLabel("Your name").fill("Grace");
  await press("Join");
  await page.waitForURL(/\/manual\/.+/);
}

describe("a person with a phone", () => {
  it("plays a whole verify_client with a simulated client", async () => {
    await open([VERIFY_CLIENT]);
    await shoot(page, "manual-join-360");
    await assertAccessible(page);
    await join("element-android");
    await shown(/wait/i).waitFor();
    await shoot(page, "manual-wait-360");
    await page.evaluate(() => {
      window.marked = true;
    });

    const other = new Client(daemon, "element-web");
    await other.register();
    const played = other.play();
    await press("Logged in");
    await page.getByRole("button", { name: "Started crosssign" }).waitFor();
    assert.ok(await page.evaluate(() => window.marked), "the page was not loaded again");
    await assertFits(page);
    await assertAccessible(page);
    await shoot(page, "manual-asked-360");
    await press("Started crosssign");
    await press("Verified crosssign");
    await shown("You are done").waitFor();
    await shoot(page, "manual-done-360");
    await assertAccessible(page);

    assert.deepEqual(await played, [
      "register",
      "accept_crosssign",
      "verify_crosssign_emoji",
    ]);
    const mine = await daemon.waitCase(isEnded, "the case has ended");
    assert.equal(mine.state, "success");
    assert.equal(mine.roles.alice_two.type, "element-android");
    assertQuiet(page);
  });

  it("keeps its place when the page is loaded again", async () => {
    await open([
      definition("Solo", [
        { red: "dance", data: { tune: "Blue Danube" } },
        { red: "sing" },
      ]),
    ]);
    await join("web");
    await page.getByText("Blue Danube").first().waitFor();
    await page.reload();
    await page.getByText("Blue Danube").first().waitFor();
    await press("Danced");
    await page.getByRole("button", { name: "Sung" }).waitFor();
    await page.reload();
    await press("Sung");
    await shown("You are done").waitFor();
    assert.equal((await daemon.waitCase(isEnded, "the case has ended")).state, "success");
    assertQuiet(page);
  });

  it("copies data, uploads a picture, and says that it failed, and why", async () => {
    await open([definition("Solo", [{ red: "dance", data: { tune: "Blue Danube" } }])], {
      permissions: ["clipboard-read", "clipboard-write"],
    });
    await join("web");
    await page.getByRole("button", { name: /copy/i }).first().click();
    assert.equal(
      await page.evaluate(() => navigator.clipboard.readText()),
      "Blue Danube",
    );
    await page
      .getByLabel(/screenshot/i)
      .setInputFiles({
        name: "screen.png",
        mimeType: "image/png",
        buffer: picture(200, 30, 30),
      });
    await press("Upload");
    await page.getByRole("link", { name: /screen\.png/ }).waitFor();
    await page.getByText("It did not work").click();
    await page.getByLabel("What went wrong?").fill("The music <b>stopped</b>.");
    await press("Report that it failed");
    await shown("You are done").waitFor();
    const mine = await daemon.waitCase(isEnded, "the case has ended");
    assert.equal(mine.state, "failed");
    assert.deepEqual(mine.files, ["red_screen.png"]);
    await page.goto(`${daemon.url}/status/${mine.id}/status`);
    await page.getByText("The music <b>stopped</b>.").first().waitFor();
    assertQuiet(page);
  });

  it("may leave", async () => {
    await open([
      definition("Pair", [{ red: "dance" }, { green: "sing" }], {
        red: ["web"],
        green: ["other"],
      }),
    ]);
    await join("web");
    await page.getByText("Leave", { exact: true }).click();
    await press("Leave now");
    await until(
      async () => (await daemon.status()).clients.every((one) => one.state !== "waiting"),
      "nobody waits",
    );
    assertQuiet(page);
  });

  it("plays on by the keyboard alone", async () => {
    await open([definition("Solo", [{ red: "dance" }])]);
    await page.getByRole("radio").first().focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/manual\/.+/);
    const danced = page.getByRole("button", { name: "Danced" });
    await danced.waitFor();
    await until(async () => {
      await page.keyboard.press("Tab");
      return danced.evaluate((one) => one === document.activeElement);
    }, "the focus comes to the answer");
    await page.keyboard.press("Enter");
    await shown("You are done").waitFor();
  });
});

describe("a person whose browser runs no scripts", () => {
  it("plays a whole verify_client", async () => {
    await open([VERIFY_CLIENT], { javaScriptEnabled: false });
    await join("element-android");
    const played = (await new Client(daemon, "element-web").register()).play();
    const answer = async (name) => {
      await until(async () => {
        if ((await page.getByRole("button", { name, exact: true }).count()) > 0)
          return true;
        await page.goto(page.url()).catch(() => {}); // it may be loading itself again just now
        return false;
      }, name);
      await press(name);
    };
    await answer("Logged in");
    await answer("Started crosssign");
    await answer("Verified crosssign");
    await played;
    await page.goto(page.url()).catch(() => {});
    await shown("You are done").waitFor();
    assert.equal((await daemon.waitCase(isEnded, "the case has ended")).state, "success");
    assertQuiet(page);
  });
});
