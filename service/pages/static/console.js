/* The call console, quicker: one key per answer, and the answer put in place.
   Everything here presses buttons and sends forms that work without it. Nothing is kept but whether keys are on. */
"use strict";

(() => {
  const SLOW_MS = 4000; // after this the form is sent as it is without a script; a press records once all the same
  const CHANGED_MS = 2000;
  const REST_MS = 300; // letters rest after an answer came: the question under the finger is another one now
  const TYPED_MS = 800; // a remark is read once typing rests for this long
  const READ_MS = 10000; // reading a remark is given up after this: nothing is lost, and nobody is led away from typing
  const HELD_MS = 1000; // at most so long is an answer held back while a pointer is down
  const PARTS = ["top", "ask", "answer", "told-so-far", "remarks-beside", "read", "more-call", "more-facts", "more-away", "after"];
  const KEYS_OFF = "crisis-router-keys-off";

  const byId = (id) => document.getElementById(id);
  if (!byId("call")) return;

  let pressed = null; // the button whose form is on its way
  let waiting = ""; // the id of a button pressed meanwhile
  let restsUntil = 0;
  let isPlain = false;
  let isHeld = false; // a pointer is down: what it is on must still be there when it is let go
  let typingTimer = 0;
  let readAs = byId("remarks").defaultValue; // the remark that the answer beside it was read out of

  /* ---------- sending, and putting the answer in place ---------- */

  async function send(form, button, isLive) {
    const address = button?.getAttribute("formaction") || form.getAttribute("action");
    const fields = new URLSearchParams(new FormData(form, button));
    const sent = valuesOf(form);
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), isLive ? READ_MS : SLOW_MS);
    try {
      const response = await fetch(address, { method: "POST", body: fields, headers: { Accept: "text/html" }, signal: stop.signal });
      if (response.redirected && new URL(response.url).pathname === "/sign-in") return signedOut(timer, isLive);
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (!page.getElementById("call")) throw new Error("another page");
      clearTimeout(timer);
      if (isLive) await letGo();
      put(page, button, sent, isLive);
    } catch {
      clearTimeout(timer);
      if (isLive) notRead(sent);
      else sendPlainly(form, button);
    }
  }

  /** What somebody types must not be taken from under them: a remark that could not be read waits. */
  function notRead(sent) {
    byId("not-read").hidden = false;
    say(byId("not-read").textContent);
    goOn();
    if (isUnread(sent.get("remarks"))) readSoon();
  }

  /** Wait until no pointer is down, so that a press on what is replaced is not lost. */
  async function letGo() {
    const until = performance.now() + HELD_MS;
    while (isHeld && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 16));
  }

  document.addEventListener("pointerdown", () => { isHeld = true; }, true);
  for (const end of ["pointerup", "pointercancel"]) {
    document.addEventListener(end, () => setTimeout(() => { isHeld = false; }), true);
  }

  /** Somebody signed out beside this page. To send the form now would lose what was typed, so it stays. */
  function signedOut(timer, isLive) {
    clearTimeout(timer);
    const isToldAlready = byId("signed-out-now") !== null;
    byId("signed-out-now")?.remove();
    byId("top").append(byId("signed-out").content.cloneNode(true));
    if (!isLive || !isToldAlready) byId("signed-out-now").scrollIntoView({ block: "nearest" });
    pressed = null;
    waiting = "";
    byId("call").removeAttribute("aria-busy");
  }

  function sendPlainly(form, button) {
    isPlain = true;
    if (button && button.isConnected) form.requestSubmit(button);
    else form.requestSubmit();
  }

  /** Every field that is typed in or ticked, to know later what was while the form was on its way. */
  function valuesOf(form) {
    const fields = [...form.elements].filter((one) => (one.id && isTypedIn(one)) || isTicked(one));
    return new Map(fields.map((one) => [keyOf(one), isTicked(one) ? one.checked : one.value]));
  }

  const isTicked = (one) => one.type === "checkbox" || one.type === "radio";
  const keyOf = (one) => (isTicked(one) ? `${one.name}=${one.value}` : one.id);

  /** Give fields what was typed into them since they were sent; one that was not replaced has it still. */
  function setAgain(form, typedSince) {
    for (const one of form.elements) {
      if (!typedSince.has(keyOf(one))) continue;
      const value = typedSince.get(keyOf(one));
      if (isTicked(one)) one.checked = value;
      else if (one.value !== value) one.value = value;
    }
  }

  /** The field of the remark stays the same one, with its cursor and what can be undone in it. */
  function markRemarks(page) {
    const [now, then] = [byId("remarks"), page.getElementById("remarks")];
    for (const name of ["aria-describedby", "aria-invalid"]) {
      if (then.hasAttribute(name)) now.setAttribute(name, then.getAttribute(name));
      else now.removeAttribute(name);
    }
    byId("remarks-field").className = page.getElementById("remarks-field").className;
  }

  function put(page, button, sent, isLive) {
    const focused = document.activeElement;
    const focusId = focused?.id || "";
    const inAsk = Boolean(focused?.closest("#ask"));
    const inRead = Boolean(focused?.closest("#read"));
    const selection = focused && "selectionStart" in focused ? [focused.selectionStart, focused.selectionEnd] : null;
    const typedSince = new Map([...valuesOf(byId("call"))].filter(([id, value]) => sent.has(id) && sent.get(id) !== value));
    const words = wordsOf(document);
    const open = openOf(button);
    const scroll = window.scrollY;
    const remarksTop = focusId === "remarks" ? focused.getBoundingClientRect().top : null;
    const said = saidOf(document);

    markRemarks(page);
    readAs = sent.get("remarks");
    byId("not-read").hidden = true;
    for (const id of PARTS) byId(id).replaceWith(document.adoptNode(page.getElementById(id)));
    document.title = page.title;
    for (const id of open) if (byId(id)) byId(id).open = true;
    setAgain(byId("call"), typedSince);
    markChanged(words);
    choose(1, false);
    window.scrollTo({ top: scroll, behavior: "instant" });
    if (remarksTop !== null) window.scrollBy({ top: byId("remarks").getBoundingClientRect().top - remarksTop, behavior: "instant" });
    focusAgain(focusId, inAsk, inRead, selection, isLive);
    announce(isLive ? said : null);
    const call = byId("call");
    if (!("practice" in call.dataset) && call.elements.seen) {
      history.replaceState(null, "", `/?call=${encodeURIComponent(call.elements.call_id.value)}`);
    }
    restsUntil = performance.now() + REST_MS;
    goOn();
    if (isUnread(readAs)) readSoon();
  }

  /** A button that was pressed while another was on its way is pressed now, if it is still there. */
  function goOn() {
    const id = waiting;
    pressed = null;
    waiting = "";
    byId("call").removeAttribute("aria-busy");
    if (id && byId(id)) byId(id).click();
    else if (id) say("The last press was not taken: that question is answered or gone. Look again.");
  }

  function openOf(button) {
    const isSent = button?.name === "sent";
    const folds = [...document.querySelectorAll("#call details[id][open]")];
    const kept = folds.filter((one) => !(button && one.contains(button)) && !(isSent && one.closest("#sent")));
    return kept.map((one) => one.id);
  }

  function wordsOf(root) {
    const marked = [...root.querySelectorAll("[data-mark]")];
    return new Map(marked.map((one) => [one.dataset.mark, one.textContent.replace(/\s+/g, " ").trim()]));
  }

  function markChanged(before) {
    const now = wordsOf(document);
    for (const one of document.querySelectorAll("[data-mark]")) {
      if (before.get(one.dataset.mark) === now.get(one.dataset.mark)) continue;
      one.classList.add("changed");
      setTimeout(() => one.classList.remove("changed"), CHANGED_MS);
    }
  }

  function focusAgain(id, inAsk, inRead, selection, isLive) {
    const faults = byId("faults") || document.querySelector("#sent [role=alert]");
    const same = id && byId(id);
    if (same && same === document.activeElement) {
      // It was not replaced: its cursor is where it was.
    } else if (same) {
      same.focus({ preventScroll: true });
      if (selection && isText(same)) same.setSelectionRange(selection[0], selection[1]);
    } else if (inRead) {
      byId("signals")?.focus({ preventScroll: true });
    } else if (inAsk) {
      document.querySelector("#ask .answer")?.focus({ preventScroll: true });
    }
    if (!isLive) faults?.scrollIntoView({ block: "nearest" });
  }

  /** While a remark is typed only what is new is said: a signal, or another answer. */
  function announce(before) {
    const now = saidOf(document);
    const next = document.querySelector("#ask .ask legend span")?.textContent || "";
    if (!before) return say(byId("faults") ? "" : `${now.answer}${next ? ` Next: ${next}` : ""}`);
    const fresh = now.signals.filter((one) => !before.signals.includes(one));
    const answer = withoutRevision(now.answer) === withoutRevision(before.answer) ? "" : now.answer;
    if (fresh.length || answer) say(`${fresh.length ? `Read: ${fresh.join("; ")}. ` : ""}${answer}`);
  }

  const withoutRevision = (words) => words.replace(/^Revision \d+: /, "");

  function saidOf(root) {
    const signals = [...root.querySelectorAll("#signals [data-said]")].map((one) => one.dataset.said);
    return { answer: root.querySelector("#announced")?.textContent || "", signals };
  }

  function say(words) {
    byId("said").textContent = words;
  }

  /* ---------- reading a remark as it is typed ---------- */

  const isUnread = (words) => byId("remarks").value.trim() !== words.trim();

  /** Read the remark once typing rests; it goes the way of an answer, so the call has it on record. */
  function readSoon() {
    clearTimeout(typingTimer);
    typingTimer = setTimeout(readNow, TYPED_MS);
  }

  function readNow() {
    const form = byId("call");
    if (pressed || isPlain || !isUnread(readAs)) return; // what is on its way comes first, and then this
    pressed = form;
    send(form, byId("recommend"), true);
  }

  for (const typed of ["input", "compositionend"]) {
    document.addEventListener(typed, (event) => {
      if (event.target.id === "remarks" && !event.isComposing) readSoon();
    });
  }

  document.addEventListener("submit", (event) => {
    if (event.target.id !== "call" || isPlain) return;
    event.preventDefault();
    const button = event.submitter;
    if (pressed) {
      if (button && button !== pressed) waiting = button.id;
      return;
    }
    pressed = button || event.target;
    clearTimeout(typingTimer);
    event.target.setAttribute("aria-busy", "true");
    send(event.target, button);
  });

  /* ---------- keys ---------- */

  const isText = (one) => one.tagName === "TEXTAREA" || (one.tagName === "INPUT" && one.type === "text");
  const isTypedIn = (one) =>
    one.tagName === "TEXTAREA" || one.tagName === "SELECT" || one.isContentEditable ||
    (one.tagName === "INPUT" && !["checkbox", "radio", "hidden", "submit", "button"].includes(one.type));
  let keysAreOff = kept() === "yes";
  const areKeysOff = () => keysAreOff;

  /** A browser may refuse to keep anything; then keys are on until they are turned off in this page. */
  function kept() {
    try { return localStorage.getItem(KEYS_OFF); } catch { return null; }
  }

  function turnKeys() {
    keysAreOff = !keysAreOff;
    try { localStorage.setItem(KEYS_OFF, keysAreOff ? "yes" : "no"); } catch { /* it holds for this page */ }
    showKeysState();
  }

  function choose(place, withFocus) {
    const questions = [...document.querySelectorAll("#ask .ask")];
    const one = questions[place - 1];
    if (!one && questions.length) return;
    for (const other of questions) other.classList.toggle("ask-chosen", other === one);
    if (!one || !withFocus) return;
    one.querySelector(".answer-number, .answer").focus();
    one.scrollIntoView({ block: "nearest" });
  }

  const pageKeys = {
    c: () => copyNote(),
    f: () => jump("known-h"),
    r: () => jump("remarks"),
    s: () => jump(byId("sent-as") ? "sent-as" : "answer"),
    x: () => takeBack(),
    z: () => byId("undo-press")?.click(),
  };

  function jump(id) {
    byId(id)?.scrollIntoView({ block: "center" });
    byId(id)?.focus();
  }

  /** Open the reasons for the signal that has the focus, or the next one that counts. */
  function takeBack() {
    const counting = [...document.querySelectorAll("#signals [data-counts]")];
    const open = counting.findIndex((one) => one.open);
    const focused = document.activeElement?.closest("#signals li")?.querySelector("[data-take-back]:not([open])");
    const one = focused || counting[(open + 1) % counting.length];
    if (!one) return say("No signal counts, so there is none to take back.");
    for (const other of counting) other.open = other === one;
    one.open = true;
    one.querySelector("summary").focus({ preventScroll: true });
    one.closest("li").scrollIntoView({ block: "nearest" });
    say(`${one.closest("li").querySelector("[data-said]").dataset.said}. ${one.querySelector(".take-back-why").textContent.replace(/\s+/g, " ")}`);
  }

  document.addEventListener("keydown", (event) => {
    const keys = byId("keys");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (!keys.open) byId("recommend").click();
      return;
    }
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || keys.open) return;
    if (isTypedIn(event.target)) return typing(event);
    if (event.key === "?") return openKeys(event);
    if (areKeysOff() || event.repeat || event.shiftKey) return;
    const choosing = event.target.closest("[data-take-back][open]");
    if (choosing && event.key === "Escape") return take(event, () => { choosing.open = false; });
    const why = choosing?.querySelector(`[data-why="${CSS.escape(event.key)}"]`);
    if (why) return take(event, () => why.click());
    if (/^[1-9]$/.test(event.key)) return take(event, () => choose(Number(event.key), true));
    const letter = event.key.toLowerCase();
    if (letter in pageKeys) return take(event, pageKeys[letter]);
    const answer = document.querySelector(`#ask .ask-chosen [data-key="${CSS.escape(letter)}"]`);
    if (answer) take(event, () => performance.now() >= restsUntil && answer.click());
  });

  function take(event, act) {
    event.preventDefault();
    act();
  }

  function typing(event) {
    if (event.key === "Escape") event.target.blur();
    if (event.key === "Enter" && event.target.id === "nobody-call-back") {
      take(event, () => byId("sent-nobody-press").click());
    }
  }

  function openKeys(event) {
    event?.preventDefault();
    showKeysState();
    byId("keys").showModal();
  }

  function showKeysState() {
    const off = byId("keys-off");
    off.setAttribute("aria-pressed", String(areKeysOff()));
    off.textContent = areKeysOff() ? "Turn letters and numbers on" : "Turn letters and numbers off";
    document.documentElement.classList.toggle("keys-off", areKeysOff());
  }

  /* ---------- the note ---------- */

  async function copyNote() {
    const note = byId("note");
    if (!note) return;
    getSelection().selectAllChildren(note);
    let isCopied = false;
    try {
      await navigator.clipboard.writeText(note.textContent);
      isCopied = true;
    } catch {
      isCopied = document.execCommand("copy"); // where the page is not served by a name that the browser trusts
    }
    const word = isCopied ? "Copied" : "Marked: press Ctrl C";
    byId("copy-note-word").textContent = word;
    say(isCopied ? "The note is copied." : "The note is marked. Press Ctrl C to copy it.");
    setTimeout(() => { if (byId("copy-note-word")?.textContent === word) byId("copy-note-word").textContent = "Copy note"; }, CHANGED_MS);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.id === "keys-open") openKeys();
    if (button?.id === "keys-close") byId("keys").close();
    if (button?.id === "copy-note") copyNote();
    if (button?.id === "sign-in-beside") window.open("/sign-in", "_blank", "noopener");
    if (button?.id === "keys-off") turnKeys();
  });

  showKeysState();
  choose(1, false);
})();
