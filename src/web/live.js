// SPDX-License-Identifier: Apache-2.0
// Life for the pages: what they say is kept true while somebody looks at them.
//
// The server says at /status/events what changes. A page whose <main> has data-live then
// fetches itself anew, and only what is different is changed, in place: what a reader has
// scrolled to, opened, selected, focused or typed stays. data-live="" is about everything,
// else it is the id of the case or run that the page is about.
//
// Times are shown in the reader's zone, on every page; their titles keep UTC.
"use strict";

(() => {
  const SOON_MS = 200;    // from the news to the fetch
  const PACE_MS = 1000;   // between two fetches, at least; the server may ask for more
  const SHARE = 3;        // and this many times as long as the latest one took
  const LULL_MS = 15000;  // nobody tells when clients were last heard: fetched anyway
  const ALONE_MS = 5000;  // the same while the server can't tell
  const FETCH_MS = 30000; // one fetch may take
  const PATIENCE_MS = 1500; // before a lost connection is told

  // --- times

  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun",
                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const FULL = /^\d+ \w{3} \d{4}, \d\d:\d\d:\d\d UTC$/;
  const CLOCK = /^\d\d:\d\d:\d\d(\.\d+)?$/;
  const AGO = / ago$|^just now$/;

  let ahead = null; // of the server's clock before ours, in ms; null: not known yet

  const two = (number) => String(number).padStart(2, "0");

  const clock = (when) =>
    [when.getHours(), when.getMinutes(), when.getSeconds()].map(two).join(":");

  const full = (when) =>
    `${when.getDate()} ${MONTHS[when.getMonth()]} ${when.getFullYear()}, ${clock(when)}`;

  // As the server says it; see ago_text() in src/pages_text.c.
  function ago(when) {
    const seconds = Math.floor((Date.now() + ahead - when) / 1000);

    if (seconds < 1)
      return "just now";
    if (seconds < 120)
      return `${seconds} s ago`;
    if (seconds < 2 * 3600)
      return `${Math.floor(seconds / 60)} min ago`;
    if (seconds < 48 * 3600)
      return `${Math.floor(seconds / 3600)} h ago`;
    return `${Math.floor(seconds / 86400)} days ago`;
  }

  function setText(element, text) {
    if (element.textContent !== text)
      element.textContent = text;
  }

  // Show the server's times below this element in the reader's zone.
  function localise(root) {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const when = new Date(time.dateTime), text = time.textContent;

      if (isNaN(when))
        continue;
      if (FULL.test(text)) {
        time.title = text;
        setText(time, full(when));
      } else if (CLOCK.test(text)) {
        setText(time, clock(when) + text.slice(8));
      } else if (AGO.test(text) && ahead !== null) {
        setText(time, ago(when));
      }
    }
  }

  function tick() {
    if (document.hidden || ahead === null || !isConnected())
      return;
    for (const time of document.querySelectorAll("time[datetime]"))
      if (AGO.test(time.textContent))
        setText(time, ago(new Date(time.dateTime)));
  }

  // Dates of answers have whole seconds: what is less than two is no difference.
  function setClock(date) {
    const difference = Date.parse(date) + 500 - Date.now();

    ahead = Math.abs(difference) > 2000 ? difference : 0;
  }

  // --- making one tree like another

  // A thing that is told apart from its siblings wherever it moves.
  const key = (node) => node.nodeType === Node.ELEMENT_NODE
    ? node.id || node.getAttribute("data-key") || "" : "";

  const alike = (one, other) => one.nodeType === other.nodeType &&
    one.nodeName === other.nodeName && key(one) === key(other);

  // What the reader has opened stays open.
  const isReaders = (name) => name === "open";

  // The machine of a case, a document of its own: one that changes has another address.
  // The new one comes behind the old one, and takes its place when it is there.
  const isRedrawn = (old, fresh) => old.nodeName === "OBJECT" &&
    old.getAttribute("data") !== fresh.getAttribute("data");

  function redraw(old, fresh) {
    const next = document.importNode(fresh, true);

    next.removeAttribute("id");
    next.className = "coming";
    next.addEventListener("load", () => {
      if (!next.isConnected)
        return; // another one has overtaken it
      old.remove();
      next.removeAttribute("class");
      next.id = fresh.id;
    });
    old.after(next);
  }

  function morphAttributes(old, fresh) {
    for (const attribute of fresh.attributes) {
      const { name, value } = attribute;
      if (old.getAttribute(name) !== value && !isReaders(name))
        old.setAttributeNode(attribute.cloneNode());
    }
    for (const { name } of [...old.attributes])
      if (!fresh.hasAttribute(name) && !isReaders(name))
        old.removeAttribute(name);
  }

  function place(parent, node, before) {
    const focused = document.activeElement;

    parent.insertBefore(node, before);
    if (focused !== document.activeElement && focused.isConnected)
      focused.focus({ preventScroll: true });
  }

  // Go through the children that are to be there; `at` is the first of the old ones that
  // has not found its place. Those that are wanted nowhere go before others would have
  // to move.
  function morphChildren(old, fresh) {
    const wanted = [...fresh.childNodes];
    const keys = new Set(wanted.map(key));
    const keyed = new Map([...old.children].map((child) => [key(child), child]));
    let at = old.firstChild;

    const isWanted = (node, from) => key(node)
      ? keys.has(key(node))
      : wanted.slice(from).some((other) => alike(node, other));

    wanted.forEach((child, index) => {
      while (at && !alike(at, child) && !isWanted(at, index)) {
        const next = at.nextSibling;
        at.remove();
        at = next;
      }
      const found = key(child) ? keyed.get(key(child)) : at;
      if (!found || !alike(found, child)) {
        place(old, document.importNode(child, true), at);
        return;
      }
      keyed.delete(key(child));
      if (found === at)
        at = at.nextSibling;
      else
        place(old, found, at);
      morph(found, child);
    });
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  function morph(old, fresh) {
    if (old.isEqualNode(fresh))
      return;
    if (old.nodeType !== Node.ELEMENT_NODE) {
      old.nodeValue = fresh.nodeValue;
      return;
    }
    if (isRedrawn(old, fresh)) {
      redraw(old, fresh);
      return;
    }
    morphAttributes(old, fresh);
    morphChildren(old, fresh);
  }

  // --- the page

  const main = document.querySelector("main");
  const isLive = () => main !== null && main.dataset.live !== undefined;

  function show(fresh) {
    const icon = document.querySelector("link[rel=icon]");
    const freshIcon = fresh.querySelector("link[rel=icon]");

    localise(fresh);
    if (document.title !== fresh.title)
      document.title = fresh.title;
    if (icon && freshIcon)
      morphAttributes(icon, freshIcon);
    for (const part of ["header", "main", "footer"]) {
      const old = document.querySelector(`body > ${part}`);
      const other = fresh.querySelector(`body > ${part}`);
      if (old && other)
        morph(old, other);
    }
  }

  // A word beside the page when it is not true any more.
  const mark = document.createElement("p");
  mark.className = "live-mark";
  mark.setAttribute("role", "status");
  let marking = 0; // timer

  let lostAt = null; // when the server was lost; null: it is there

  function say(text) {
    clearTimeout(marking);
    marking = setTimeout(setText, text ? PATIENCE_MS : 0, mark, text);
  }

  function sayLost() {
    if (lostAt !== null)
      return;
    lostAt = new Date();
    say(`Not connected: trying again. This is how it was at ${clock(lostAt)}.`);
  }

  function sayFound(text) {
    lostAt = null;
    say(text);
  }

  // --- fetching

  let pace = PACE_MS;   // ms between two fetches
  let earliest = 0;     // when the next one may begin, on performance's clock
  let timer = 0;        // of the next one; 0: none is planned
  let planned = 0;      // when that begins
  let isFetching = false;
  let isNews = false;   // something has changed since the latest one began

  // Fetch after so many ms, or earlier if that was planned; only while somebody looks.
  function plan(ms) {
    const now = performance.now(), due = Math.max(now + ms, earliest);

    if (document.hidden || isFetching || (timer !== 0 && planned <= due))
      return;
    clearTimeout(timer);
    timer = setTimeout(fetchPage, due - now);
    planned = due;
  }

  const planNext = () => {
    if (isLive())
      plan(isNews ? SOON_MS : isConnected() ? LULL_MS : ALONE_MS);
  };

  function hearNews() {
    isNews = true;
    plan(SOON_MS);
  }

  async function fetchPage() {
    const begun = performance.now();

    timer = 0;
    isFetching = true;
    isNews = false;
    try {
      const answer = await fetch(location.href, {
        cache: "no-store", headers: { Accept: "text/html" },
        signal: AbortSignal.timeout(FETCH_MS) });
      const text = await answer.text();
      if (answer.ok) {
        setClock(answer.headers.get("Date"));
        show(new DOMParser().parseFromString(text, "text/html"));
      }
      isNews = isNews || answer.status === 503;
      sayFound(answer.ok || answer.status === 503 ? "" :
        `This page could not be fetched anew: ${answer.status}`);
    } catch {
      isNews = true; // the server is not there: what is missed comes then
      sayLost();
    }
    isFetching = false;
    earliest = begun + Math.max(pace, SHARE * (performance.now() - begun));
    if (!isLive())
      close();
    planNext();
  }

  // --- hearing

  let source = null; // of events; null: nobody looks
  let retry = 0;     // timer

  const isConnected = () => source !== null && source.readyState === EventSource.OPEN;

  function hear(event) {
    const about = main.dataset.live, data = JSON.parse(event.data);

    pace = Math.max(PACE_MS, data.pace);
    if (event.type === "reset" || !about || data.more || event.data.includes(about))
      hearNews();
  }

  function open() {
    if (source !== null || document.hidden || !isLive())
      return;
    source = new EventSource("/status/events");
    source.addEventListener("reset", hear);
    source.addEventListener("change", hear);
    source.addEventListener("open", () => sayFound(""));
    source.addEventListener("error", lose);
    planNext();
  }

  // Where the server is gone the browser tries again; where it has refused it does not.
  function lose() {
    if (source.readyState === EventSource.CLOSED) {
      source = null;
      retry = setTimeout(open, ALONE_MS);
    } else {
      sayLost();
    }
    planNext();
  }

  // Who does not look needs no connection: browsers allow a page few of them.
  function close() {
    clearTimeout(retry);
    clearTimeout(timer);
    timer = 0;
    if (source !== null)
      source.close();
    source = null;
  }

  // --- the beginning

  localise(document);
  if (isLive()) {
    document.body.append(mark);
    setInterval(tick, 1000);
    document.addEventListener("visibilitychange",
                              () => document.hidden ? close() : open());
    addEventListener("pagehide", close);
    addEventListener("pageshow", open);
    open();
  } else if (main !== null) { // another script may bring new times
    new MutationObserver(() => localise(document))
      .observe(main, { childList: true, subtree: true });
  }
})();
