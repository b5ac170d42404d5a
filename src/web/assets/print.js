// A button that prints the page. Without script it is not there, and the browser's own way is.
/** @param {HTMLElement} button */
export function startPrint(button) {
  button.hidden = false
  button.addEventListener('click', () => globalThis.print())
}
