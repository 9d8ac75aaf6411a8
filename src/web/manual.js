// SPDX-License-Identifier: Apache-2.0
// A person as a client. The server writes the whole page, and everything works without this
// script; with it the page is kept true in place: it polls as an adapter does, and when there is
// something new, gets the page again and exchanges the blocks that changed. What was begun to be
// written in the others stays, and so does the focus.
"use strict";

(() => {
  const AFTER_ACTION_MS = 3000; // between polls while there is something to do
  const AFTER_TROUBLE_MS = 5000; // when the server is away, or the page is open twice
  const manual = () => document.getElementById("manual");
  const news = document.getElementById("news");
  let written = blocks(document); // id -> what the server wrote there
  let wake = () => {}; // ends a pause

  function blocks(page) {
    return new Map(Array.from(page.querySelectorAll("#manual > [id]"),
      (block) => [block.id, block.outerHTML]));
  }

  function headline() {
    return Array.from(document.getElementById("now").children, (part) => part.textContent).join(": ");
  }

  function pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => { clearTimeout(timer); resolve(); };
    });
  }

  // --- the page in place

  function exchange(next) {
    const now = blocks(next);
    const focused = document.activeElement.closest("#manual > [id]");
    for (const id of written.keys()) {
      if (!now.has(id)) document.getElementById(id).remove();
    }
    let before = null;
    for (const [id, text] of now) {
      let block = document.getElementById(id);
      if (text !== written.get(id)) {
        const made = document.importNode(next.getElementById(id), true);
        if (block) block.replaceWith(made);
        else if (before) before.after(made);
        else manual().prepend(made);
        block = made;
      }
      before = block;
    }
    written = now;
    if (focused && !focused.isConnected) moveFocus(focused.id);
  }

  // Who pressed a button that is gone goes on in the same block; with a task, at the heading.
  function moveFocus(id) {
    const block = id === "task" ? null : document.getElementById(id);
    const place = block && block.querySelector("input:not([type=hidden]), button, summary");
    (place || manual().querySelector("h1")).focus();
  }

  function apply(text, url) {
    const next = new DOMParser().parseFromString(text, "text/html");
    const there = next.getElementById("manual");
    if (!there) {
      location.assign(url);
      return;
    }
    const said = headline();
    exchange(next);
    Object.assign(manual().dataset, there.dataset);
    document.title = next.title;
    const icon = (page) => page.querySelector("link[rel=icon]");
    icon(document).href = icon(next).href;
    const light = (page) => page.querySelector("header .light");
    light(document).replaceWith(document.importNode(light(next), true));
    if (headline() !== said) news.textContent = headline();
    begin();
  }

  // What the scripted page has more than the other.
  function begin() {
    for (const button of document.querySelectorAll(".copy[hidden]")) button.hidden = false;
    const left = document.querySelector("[data-left]:not([data-end])");
    if (left) left.dataset.end = Date.now() + left.dataset.left * 1000;
    tick();
  }

  function tick() {
    const clock = document.querySelector("[data-end]");
    if (!clock) return;
    const seconds = Math.max(0, Math.round((clock.dataset.end - Date.now()) / 1000));
    const rest = String(seconds % 60).padStart(2, "0");
    clock.textContent = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${rest} s`;
    clock.classList.toggle("short", seconds < 30);
  }

  function complain(text) {
    let alert = document.getElementById("trouble");
    if (!text) {
      if (alert) alert.remove();
      return;
    }
    if (!alert) {
      alert = document.createElement("p");
      alert.id = "trouble";
      alert.className = "alert";
      alert.setAttribute("role", "alert");
      manual().before(alert);
    }
    if (alert.textContent !== text) alert.textContent = text;
  }

  // --- polling

  async function look() {
    const answer = await fetch(manual().dataset.page, { headers: { Accept: "text/html" } });
    apply(await answer.text(), answer.url);
  }

  async function watch() {
    while (manual().dataset.standing !== "over") {
      const began = Date.now();
      let rest = 0;
      try {
        const answer = await fetch(manual().dataset.poll);
        const action = await answer.json();
        complain("");
        if (!action.id || action.id !== manual().dataset.delivery) await look();
        // An idle at once: another window has this page open, too.
        rest = action.id ? AFTER_ACTION_MS : Date.now() - began < 1000 ? AFTER_TROUBLE_MS : 0;
      } catch {
        complain("The server can't be reached. This page tries again by itself.");
        rest = AFTER_TROUBLE_MS;
      }
      if (rest > 0) await pause(rest);
    }
  }

  // --- sending

  async function send(form, submitter) {
    const data = new FormData(form);
    if (submitter && submitter.name) data.append(submitter.name, submitter.value);
    const body = form.enctype === "multipart/form-data" ? data : new URLSearchParams(data);
    const answer = await fetch(form.action, { method: "POST", body });
    if ((answer.headers.get("Content-Type") || "").startsWith("text/html")) {
      if (answer.ok) form.reset();
      apply(await answer.text(), answer.url);
    } else {
      throw new Error((await answer.json()).detail);
    }
  }

  async function submit(event) {
    event.preventDefault();
    const form = event.target;
    const buttons = Array.from(form.querySelectorAll("button"));
    if (form.getAttribute("aria-busy") === "true") return;
    form.setAttribute("aria-busy", "true");
    for (const button of buttons) button.setAttribute("aria-disabled", "true");
    complain("");
    try {
      await send(form, event.submitter);
    } catch (problem) {
      complain(problem instanceof TypeError || !problem.message
        ? "The server can't be reached: nothing was sent. Please try again."
        : problem.message);
    }
    form.removeAttribute("aria-busy");
    for (const button of buttons) button.removeAttribute("aria-disabled");
  }

  // --- copying

  // Without TLS there is no clipboard to ask for: what is selected can be copied all the same.
  async function copy(button) {
    const value = button.parentElement.querySelector("code");
    const range = document.createRange();
    const selection = getSelection();
    let done = false;
    range.selectNodeContents(value);
    selection.removeAllRanges();
    selection.addRange(range);
    try {
      if (navigator.clipboard) {
        await navigator.clipboard.writeText(value.textContent);
        done = true;
      }
    } catch {
      done = false;
    }
    done = done || document.execCommand("copy");
    button.classList.toggle("done", done);
    if (news) news.textContent = done ? "Copied" : "Selected: copy it yourself";
  }

  // --- joining: what was chosen before is proposed

  function remember(form) {
    const fields = ["other", "version", "name"];
    for (const name of fields) {
      const field = form.elements[name];
      if (field && !field.value) field.value = localStorage.getItem(`manual.${name}`) || "";
    }
    form.addEventListener("submit", () => {
      for (const name of fields) localStorage.setItem(`manual.${name}`, form.elements[name].value);
    });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.copy");
    if (button) copy(button);
  });
  begin();
  if (manual() && manual().dataset.poll) {
    manual().addEventListener("submit", (event) => {
      if (event.target.action.startsWith(location.origin + manual().dataset.page + "/")) submit(event);
    });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) wake();
    });
    setInterval(tick, 1000);
    watch();
  }
  const form = document.querySelector("form.join");
  if (form) remember(form);
})();
