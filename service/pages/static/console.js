/* The call console, quicker: one key per answer, and the answer put in place.
   Everything here presses buttons and sends forms that work without it. Nothing is kept but whether keys are on. */
"use strict";

(() => {
  const SLOW_MS = 4000; // after this the form is sent as it is without a script; a press records once all the same
  const CHANGED_MS = 2000;
  const REST_MS = 300; // letters rest after an answer came: the question under the finger is another one now
  const PARTS = ["top", "ask", "answer", "known", "after"];
  const KEYS_OFF = "crisis-router-keys-off";

  const byId = (id) => document.getElementById(id);
  if (!byId("call")) return;

  let pressed = null; // the button whose form is on its way
  let waiting = ""; // the id of a button pressed meanwhile
  let restsUntil = 0;
  let isPlain = false;

  /* ---------- sending, and putting the answer in place ---------- */

  async function send(form, button) {
    const address = button?.getAttribute("formaction") || form.getAttribute("action");
    const fields = new URLSearchParams(new FormData(form, button));
    const sent = valuesOf(form);
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), SLOW_MS);
    try {
      const response = await fetch(address, { method: "POST", body: fields, headers: { Accept: "text/html" }, signal: stop.signal });
      if (response.redirected && new URL(response.url).pathname === "/sign-in") return signedOut(timer);
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (!page.getElementById("call")) throw new Error("another page");
      clearTimeout(timer);
      put(page, button, sent);
    } catch {
      clearTimeout(timer);
      sendPlainly(form, button);
    }
  }

  /** Somebody signed out beside this page. To send the form now would lose what was typed, so it stays. */
  function signedOut(timer) {
    clearTimeout(timer);
    byId("signed-out-now")?.remove();
    byId("top").append(byId("signed-out").content.cloneNode(true));
    byId("signed-out-now").scrollIntoView({ block: "nearest" });
    pressed = null;
    waiting = "";
    byId("call").removeAttribute("aria-busy");
  }

  function sendPlainly(form, button) {
    isPlain = true;
    if (button && button.isConnected) form.requestSubmit(button);
    else form.requestSubmit();
  }

  /** Every field that is typed in, by its id, to know later what was typed while the form was on its way. */
  function valuesOf(form) {
    const fields = [...form.elements].filter((one) => one.id && isTypedIn(one));
    return new Map(fields.map((one) => [one.id, one.value]));
  }

  function put(page, button, sent) {
    const focused = document.activeElement;
    const focusId = focused?.id || "";
    const inAsk = Boolean(focused?.closest("#ask"));
    const selection = focused && "selectionStart" in focused ? [focused.selectionStart, focused.selectionEnd] : null;
    const typedSince = [...valuesOf(byId("call"))].filter(([id, value]) => sent.has(id) && sent.get(id) !== value);
    const words = wordsOf(document);
    const open = openOf(button);
    const scroll = window.scrollY;

    for (const id of PARTS) byId(id).replaceWith(document.adoptNode(page.getElementById(id)));
    document.title = page.title;
    for (const id of open) if (byId(id)) byId(id).open = true;
    for (const [id, value] of typedSince) if (byId(id)) byId(id).value = value;
    markChanged(words);
    choose(1, false);
    window.scrollTo({ top: scroll, behavior: "instant" });
    focusAgain(focusId, inAsk, selection);
    announce();
    const call = byId("call");
    if (!("practice" in call.dataset) && call.elements.seen) {
      history.replaceState(null, "", `/?call=${encodeURIComponent(call.elements.call_id.value)}`);
    }
    restsUntil = performance.now() + REST_MS;
    goOn();
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

  function focusAgain(id, inAsk, selection) {
    const faults = byId("faults") || document.querySelector("#sent [role=alert]");
    const same = id && byId(id);
    if (same) {
      same.focus({ preventScroll: true });
      if (selection && isText(same)) same.setSelectionRange(selection[0], selection[1]);
    } else if (inAsk) {
      document.querySelector("#ask .answer")?.focus({ preventScroll: true });
    }
    faults?.scrollIntoView({ block: "nearest" });
  }

  function announce() {
    const answer = byId("announced")?.textContent || "";
    const next = document.querySelector("#ask .ask legend span")?.textContent || "";
    say(byId("faults") ? "" : `${answer}${next ? ` Next: ${next}` : ""}`);
  }

  function say(words) {
    byId("said").textContent = words;
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
    z: () => byId("undo-press")?.click(),
  };

  function jump(id) {
    byId(id)?.scrollIntoView({ block: "center" });
    byId(id)?.focus();
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
