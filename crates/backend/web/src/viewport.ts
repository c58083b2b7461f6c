// iOS lays its keyboard over the page without making it smaller; the page then follows the part that is left.

export function followKeyboard(): void {
  const viewport = window.visualViewport;
  if (viewport === null) return;
  const update = () => {
    // A zoomed page is smaller too, but must not be squeezed.
    if (viewport.scale === 1) document.documentElement.style.setProperty("--screen", `${viewport.height}px`);
  };
  viewport.addEventListener("resize", update);
  update();
}
