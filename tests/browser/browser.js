// SPDX-License-Identifier: Apache-2.0
// Chromium, led by playwright; and pages that are watched: whatever a page must never do,
// whoever's words are on it, is noted and told by assertQuiet().
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const axe = require("axe-core");
const { chromium } = require("playwright-core");
const { BUILD, PATIENCE } = require("./daemon.js");

const SHOTS = path.join(BUILD, "check-browser", "shots");
const VIOLATION = "CSP violation: ";

// Runs in the page before anything else of it.
function tellViolations(word) {
  document.addEventListener("securitypolicyviolation", (event) =>
    console.error(word + event.violatedDirective + " " + event.blockedURI),
  );
}

class Browser {
  static async start() {
    const browser = new Browser();
    browser.chromium = await chromium.launch({
      executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
      args: ["--disable-gpu", "--disable-dev-shm-usage", "--mute-audio"],
    });
    return browser;
  }

  stop() {
    return this.chromium.close();
  }

  // A page in a context of its own. `options` are playwright's: viewport, colorScheme, …
  async open(url, options = {}) {
    const context = await this.chromium.newContext({
      viewport: { width: 1280, height: 900 },
      reducedMotion: "reduce",
      ...options,
    });
    context.setDefaultTimeout(15000 * PATIENCE);
    const page = await context.newPage();
    page.wrongs = [];
    await watch(page, new URL(url).origin);
    await page.goto(url);
    return page;
  }
}

async function watch(page, origin) {
  const wrong = (what) => page.wrongs.push(`${page.url()}: ${what}`);
  page.on("dialog", (dialog) => {
    wrong(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("pageerror", (error) => wrong(`a script failed: ${error}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith("data:"))
      wrong(`a request to ${request.url()}`);
  });
  page.on("popup", () => wrong("a window of its own"));
  page.on("console", (message) => {
    const text = message.text();
    if (text.startsWith(VIOLATION) || /Content Security Policy|Refused to/.test(text))
      wrong(text);
  });
  await page.addInitScript(tellViolations, VIOLATION);
}

// The lamp of the case of this name on the board, in this state.
function lampOf(page, name, state) {
  return page
    .locator("main tr", { hasText: name })
    .locator(`.lamp[data-state=${state}]`)
    .first();
}

// Nothing that words of clients brought about.
function assertQuiet(page) {
  assert.deepEqual(page.wrongs, []);
}

// Nothing is wider than the window, what scrolls within itself aside.
async function assertFits(page) {
  const wide = await page.evaluate(() => {
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth) return [];
    const scrolls = (one) => getComputedStyle(one).overflowX !== "visible";
    const isWithin = (one) =>
      one !== null && (scrolls(one) || isWithin(one.parentElement));
    return [...document.body.querySelectorAll("*")]
      .filter(
        (one) =>
          one.getBoundingClientRect().right > root.clientWidth + 1 &&
          !isWithin(one.parentElement),
      )
      .map((one) => one.cloneNode().outerHTML.slice(0, 80) + one.textContent.slice(0, 40))
      .slice(0, 8)
      .concat(`${root.scrollWidth} px on ${root.clientWidth} px`);
  });
  assert.deepEqual(wide, [], `${page.url()} is wider than its window`);
}

// What the accessibility checker finds: nothing.
async function assertAccessible(page) {
  await page.evaluate(axe.source);
  const found = await page.evaluate(() =>
    window.axe.run(document, { resultTypes: ["violations"] }),
  );
  const told = found.violations.map(
    (one) =>
      `${one.id}: ${one.help}\n` +
      one.nodes
        .slice(0, 4)
        .map(
          (node) =>
            `    ${node.html.slice(0, 200)}\n      ${node.failureSummary.replace(/\n\s*/g, " ")}`,
        )
        .join("\n"),
  );
  assert.equal(told.length, 0, `${page.url()}:\n${told.join("\n")}`);
}

// A picture of the page, for people, in the build folder; the beginning of a very long one.
async function shoot(page, name) {
  fs.mkdirSync(SHOTS, { recursive: true });
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  const { width } = page.viewportSize();
  await page.screenshot({
    path: path.join(SHOTS, `${name}.png`),
    fullPage: true,
    clip: { x: 0, y: 0, width, height: Math.min(height, 4000) },
  });
}

module.exports = { Browser, assertAccessible, assertFits, assertQuiet, lampOf, shoot };
