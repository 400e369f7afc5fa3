/* Keys for reviewing: a number ticks a choice, Enter presses the main button. All of it works without this. */
"use strict";

(() => {
  const isTyping = (one) => one.matches("textarea, select, input:not([type=checkbox]):not([type=radio])");

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
    const on = event.target instanceof Element ? event.target : document.body;
    if (isTyping(on)) {
      // In a text Enter is a new line; with Ctrl or Cmd it would be a key of the browser's own.
      return;
    }
    const found = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === event.key);
    if (!found) return;
    // A button or link that has the focus is pressed by Enter itself.
    if (event.key === "Enter" && on.matches("button, a, summary")) return;
    event.preventDefault();
    found.click();
    if (found.matches("input")) found.focus();
  });
})();
