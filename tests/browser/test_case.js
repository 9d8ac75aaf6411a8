// SPDX-License-Identifier: Apache-2.0
// The page of a case: how it ended and why, its drawings that lead to the transcript, its
// files, and what can be asked for there.
"use strict";

const assert = require("node:assert/strict");
const { after, before, describe, it } = require("node:test");
const { Browser, assertQuiet } = require("./browser.js");
const { until } = require("./daemon.js");
const { setScene } = require("./scene.js");

let daemon, browser, page;
before(async () => {
  [daemon, browser] = await Promise.all([setScene(), Browser.start()]);
  page = await browser.open(`${daemon.url}/status`);
});
after(async () => {
  await browser?.stop();
  await daemon?.stop();
});

// Open the page of the case whose name has this in it, and for which is() holds.
async function open(name, is = () => true) {
  const found = await daemon.waitCase((one) => one.name.includes(name) && is(one), name);
  await page.goto(`${daemon.url}/status/${found.id}/status`);
  return found;
}

const heading = (name) => page.getByRole("heading", { name, exact: true });
// The line of the transcript that the address names, in sight.
async function lineReached(text) {
  const line = page.locator("tr:target");
  await line.filter({ hasText: text }).waitFor();
  await until(
    () =>
      line.evaluate((one) => {
        const { top, bottom } = one.getBoundingClientRect();
        return top >= 0 && bottom <= innerHeight;
      }),
    "the line is in sight",
  );
}

describe("the page of a case", () => {
  it("tells in words how it ended, and why, before anything else", async () => {
    await open("element-x-ios");
    const verdict = page.locator(".verdict").first();
    await verdict
      .filter({ hasText: /error/ })
      .filter({ hasText: /the app crashed while it opened/ })
      .waitFor();
    assert.ok((await verdict.boundingBox()).y < 400, "it is on top");
  });

  it("draws the machine, and states and actions lead to the transcript", async () => {
    await open("red=element-web green=element-android");
    await heading("Machine").waitFor();
    const drawing = await until(
      () => page.frames().find((one) => one.url().includes("statemachine.svg")),
      "the machine's frame",
    );
    await drawing.locator("a", { hasText: "1 red dance" }).first().click();
    await page.waitForURL(/#.*line-\d+$/);
    await lineReached("1 red dance");
  });

  it("draws the sequence: a lane for each role and server, each row leads to the transcript", async () => {
    await open("alice_two=element-web", (one) => one.state === "success");
    const diagram = page.locator(".diagram svg");
    const words = await diagram.evaluate((one) => one.textContent);
    for (const word of [
      "alice_one",
      "alice_two",
      "server",
      "trafficlight",
      "register",
      "accept_crosssign",
    ])
      assert.ok(words.includes(word), `${word} in the diagram`);
    const middle = (text) =>
      diagram
        .locator("a", { hasText: text })
        .first()
        .evaluate((one) => one.getBoundingClientRect().top);
    assert.ok(
      (await middle("register")) < (await middle("accept_crosssign")),
      "time goes downwards",
    );
    await diagram.locator("a", { hasText: "accept_crosssign" }).first().click();
    await lineReached("accept_crosssign");
  });

  it("shows pictures, and has everything else downloaded", async () => {
    await open("", (one) => one.files.length === 2);
    const image = page.locator("main img[src*='screen.png']");
    await image.scrollIntoViewIfNeeded();
    await until(
      () => image.evaluate((one) => one.naturalWidth === 64),
      "the picture is there",
    );
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.locator("a[download][href*='console.log']").click(),
    ]);
    assert.match(download.suggestedFilename(), /console\.log$/);
  });

  it("shows each attempt", async () => {
    await open("hydrogen-web");
    await heading("Attempt 1").waitFor();
    await heading("Attempt 2").waitFor();
    await page
      .getByText("no answer from the microphone")
      .first()
      .waitFor({ state: "attached" });
  });

  it("leads to the same case in earlier runs", async () => {
    const now = await open("element-x-ios");
    await page
      .getByRole("table", { name: /same case in other runs/i })
      .getByRole("link")
      .first()
      .click();
    await page.waitForURL((url) => !url.href.includes(now.id));
    await page
      .locator(".verdict")
      .filter({ hasText: /the app crashed/ })
      .waitFor();
  });

  it("cancels, and says who did", async () => {
    const running = await open("element-call", (one) => one.state === "running");
    await page.getByText("Cancel…").click();
    await page.getByRole("button", { name: "Cancel this case" }).click();
    await page
      .locator(".verdict")
      .filter({ hasText: /cancelled by/ })
      .waitFor();
    assert.equal(
      (await daemon.cases()).find((one) => one.id === running.id).state,
      "error",
    );
  });

  it("asks for another run of the case", async () => {
    const name = (await open("element-x-ios")).name;
    const runs = (await daemon.get("/runs")).runs.length;
    await page.getByRole("button", { name: "Run this case again" }).click();
    await page.waitForLoadState();
    const run = await until(async () => {
      const all = (await daemon.get("/runs")).runs;
      return all.length > runs && all[0];
    }, "another run");
    const cases = (await daemon.get(`/runs/${run.id}/status.json`)).suites.flatMap(
      (one) => one.cases,
    );
    assert.ok(
      cases.every((one) => one.name === name),
      "of that case alone",
    );
    assertQuiet(page);
  });

  it("says what can't be done any more, and leads back", async () => {
    const waiting = await open("alice_two=element-ios", (one) => one.state === "waiting");
    await page.getByText("Cancel…").click();
    await daemon.post(`/status/${waiting.id}/cancel`);
    // A page of a moment ago: it has not heard of that yet.
    await page.evaluate((id) => {
      const form = document.createElement("form");
      Object.assign(form, { method: "post", action: `/status/${id}/cancel` });
      document.body.append(form);
      form.submit();
    }, waiting.id);
    await heading(/409|Conflict/)
      .or(page.getByText(/Conflict/))
      .first()
      .waitFor();
    await page.getByRole("link", { name: /back/i }).first().click();
    await page.waitForURL(/\/status$/);
  });
});
