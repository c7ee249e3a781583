// Two comforts of the page of a number, which works without them.
//
// Frames are brought to their mark again once the page has its final width: browsers scroll them to it while it has not.
//
// Buttons with data-copy="ID" copy that element's text; without this file they stay hidden and the text is selected by hand.
"use strict";
const SHOWN_MS = 2500;

function copied(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  // A plain http address that is not this machine's own has no clipboard.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done ? Promise.resolve() : Promise.reject(new Error("not copied"));
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  const said = document.getElementById(button.dataset.said);
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    try {
      await copied(source.textContent.trim());
      said.textContent = "已复制 Copied";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      said.textContent = "已选中，请按 Ctrl+C / ⌘C · Selected: press Ctrl+C / ⌘C";
    }
    button.focus();
    setTimeout(() => { said.textContent = ""; }, SHOWN_MS);
  });
}

addEventListener("load", () => {
  for (const frame of document.querySelectorAll("iframe.place")) {
    const again = () => frame.contentWindow.location.replace(frame.src);
    again();
    frame.addEventListener("load", again, { once: true });
  }
});
