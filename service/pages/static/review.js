/* Keys for reviewing: a number ticks a choice, Enter (in a text with Ctrl) presses the main button. All of it works without this. */
"use strict";

(() => {
  const isTyping = (one) => one.matches("textarea, select, input:not([type=checkbox]):not([type=radio])");

  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.isComposing || event.repeat) return;
    const on = event.target instanceof Element ? event.target : document.body;
    // In a text Enter is a new line, and with Ctrl or Cmd it keeps what was typed.
    const keeps = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    if (!keeps && (isTyping(on) || event.ctrlKey || event.metaKey)) return;
    const found = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === event.key);
    if (!found) return;
    // A button or link that has the focus is pressed by Enter itself.
    if (event.key === "Enter" && on.matches("button, a, summary")) return;
    event.preventDefault();
    found.click();
    if (found.matches("input")) found.focus();
  });
})();
