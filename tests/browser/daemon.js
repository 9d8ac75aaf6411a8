// SPDX-License-Identifier: Apache-2.0
// The real trafficlightd, in a folder of its own and on a free port, and clients that play.
// Nothing waits by the clock: until() looks again before its deadline, which E2E_PATIENCE
// multiplies.
"use strict";

const { spawn } = require("node:child_process");
const { randomUUID } = require("node:crypto");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const SOURCE = path.resolve(process.env.top_srcdir || path.join(__dirname, "..", ".."));
const BUILD = path.resolve(process.env.top_builddir || SOURCE);
const PATIENCE = Number(process.env.E2E_PATIENCE || 1);
const LIFETIME_S = 300 * PATIENCE;

// An alarm survives exec: whatever becomes of us, the program ends.
const WITH_ALARM = "alarm shift; exec @ARGV";

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Look until look() gives something true, and give that.
async function until(look, what, seconds = 15) {
  const deadline = Date.now() + seconds * 1000 * PATIENCE;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`this did not come in time: ${what}`);
    await sleep(20);
  }
}

// --- the programs

class Program {
  constructor(name, args) {
    this.said = "";
    this.process = spawn(
      "perl",
      [
        "-e",
        WITH_ALARM,
        String(Math.ceil(LIFETIME_S)),
        path.join(BUILD, "src", name),
        ...args,
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    const hear = (text) => (this.said += text);
    this.process.stdout.setEncoding("utf8").on("data", hear);
    this.process.stderr.setEncoding("utf8").on("data", hear);
    this.ended = new Promise((resolve) =>
      this.process.on("close", (code, signal) => resolve(signal || code)),
    );
  }

  get runs() {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  // Ask it to end; gives its exit code, or the signal that ended it.
  async end(signal = "SIGTERM") {
    if (this.runs) this.process.kill(signal);
    const insist = setTimeout(() => this.process.kill("SIGKILL"), 15000 * PATIENCE);
    const how = await this.ended;
    clearTimeout(insist);
    return how;
  }
}

// INI of {section: {key: value or [values]}}.
function settingsText(settings) {
  const lines = [];
  for (const [section, keys] of Object.entries(settings)) {
    lines.push(`[${section}]`);
    for (const [key, values] of Object.entries(keys))
      for (const value of [values].flat()) lines.push(`${key} = ${value}`);
  }
  return lines.join("\n") + "\n";
}

class Daemon {
  // Start on these definitions (objects, or paths of files), with changes of the settings.
  static async start(definitions, changes = {}) {
    const daemon = new Daemon();
    daemon.folder = fs.mkdtempSync(path.join(os.tmpdir(), "tl-browser-"));
    const suites = path.join(daemon.folder, "suites", "chat");
    fs.mkdirSync(suites, { recursive: true });
    definitions.forEach((content, i) => {
      const name = path.join(suites, `${String(i).padStart(2, "0")}_made_test.json`);
      if (typeof content === "string")
        fs.copyFileSync(content, path.join(suites, path.basename(content)));
      else fs.writeFileSync(name, JSON.stringify(content, null, 1));
    });
    daemon.settings = {
      server: { listen: "127.0.0.1:0", "state-dir": path.join(daemon.folder, "state") },
      tests: { path: path.join(daemon.folder, "suites") },
      "server-type synapse": { servers: "hs1=http://localhost:8008" },
    };
    for (const [section, keys] of Object.entries(changes))
      daemon.settings[section] = { ...daemon.settings[section], ...keys };
    await daemon.begin();
    return daemon;
  }

  async begin() {
    const ini = path.join(this.folder, "trafficlight.ini");
    fs.writeFileSync(ini, settingsText(this.settings));
    this.program = new Program("trafficlightd", ["--config", ini]);
    const found = await until(() => {
      if (!this.program.runs)
        throw new Error(`trafficlightd ended:\n${this.program.said}`);
      return this.program.said.match(/listening on (\S+)/);
    }, "trafficlightd listens");
    this.url = found[1].replace(/\/$/, "");
  }

  // End it without a word, and start it anew on the same port.
  async kill() {
    await this.program.end("SIGKILL");
    this.settings.server.listen = new URL(this.url).host;
  }

  // Stop it, and have it end well.
  async stop() {
    const how = await this.program.end();
    fs.rmSync(this.folder, { recursive: true, force: true });
    if (how !== 0)
      throw new Error(`trafficlightd ended with ${how}:\n${this.program.said}`);
  }

  async get(where) {
    const answer = await fetch(this.url + where);
    if (!answer.ok) throw new Error(`${where}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  post(where, body = {}) {
    return fetch(this.url + where, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json" },
    });
  }

  status() {
    return this.get("/status.json");
  }

  async cases() {
    return (await this.status()).suites.flatMap((suite) => suite.cases);
  }

  // The first case for which is() holds, once there is one.
  waitCase(is, what) {
    return until(async () => (await this.cases()).find(is), what);
  }

  waitDone() {
    return until(
      async () => (await this.status()).server.done,
      "all cases have ended",
      30,
    );
  }
}

// --- clients

class Client {
  constructor(daemon, type, id = randomUUID()) {
    Object.assign(this, { daemon, type, id, done: [] });
  }

  async call(verb, body) {
    const answer = await this.daemon.post(`/client/${this.id}/${verb}`, body);
    if (!answer.ok) throw new Error(`${verb}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  async register(members = {}) {
    await this.call("register", { type: this.type, ...members });
    return this;
  }

  poll(wait = 2) {
    return this.daemon.get(`/client/${this.id}/poll?wait=${wait}`);
  }

  report(response, more = {}) {
    return this.call("report", { response, ...more });
  }

  async upload(files) {
    const form = new FormData();
    for (const [name, content, type] of files)
      form.append("file", new Blob([content], { type }), name);
    const answer = await fetch(`${this.daemon.url}/client/${this.id}/upload`, {
      method: "POST",
      body: form,
    });
    if (!answer.ok) throw new Error(`upload: ${answer.status} ${await answer.text()}`);
  }

  // Poll until there is this action.
  async expect(action) {
    const found = await until(async () => {
      const given = await this.poll();
      return given.action === "idle" ? null : given;
    }, `${action} for ${this.type}`);
    if (found.action !== action)
      throw new Error(`${this.type} was given ${JSON.stringify(found)}, not ${action}`);
    return found;
  }

  // Wait for this action, and report.
  async act(action, response, more = {}) {
    const found = await this.expect(action);
    await this.report(response, more);
    return found;
  }

  // Do what is asked, with the first response that is accepted, until told to exit.
  async play() {
    for (;;) {
      const given = await this.poll();
      if (given.action === "exit") return this.done;
      if (given.action === "idle") continue;
      this.done.push(given.action);
      await this.report(given.responses[0]);
    }
  }
}

// --- definitions

// Actions that the shipped dictionary does not have.
const ACTIONS = {
  dance: {
    description: "Moves to music.",
    data: { tune: { type: "string" } },
    responses: ["danced", "waltzed"],
  },
  sing: {
    description: "Makes music.",
    data: { song: { type: "string" } },
    responses: ["sung"],
  },
};

// A test of these steps; every client is of the type "web" if nothing is said.
function definition(name, steps, clients = { red: ["web"] }, more = {}) {
  return { name, clients, actions: ACTIONS, steps, ...more };
}

const VERIFY_CLIENT = path.join(SOURCE, "contrib/suites/chat/verify_client_test.json");

module.exports = { BUILD, PATIENCE, VERIFY_CLIENT, Client, Daemon, definition, until };
