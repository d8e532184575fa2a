/** Layers of rock with a fault in them: the mark of an empty place. It carries no meaning. */
export function Strata() {
  return (
    <svg class="oc-strata" viewBox="0 0 120 48" width="120" height="48" aria-hidden="true">
      <path d="M3 46 9 38.5 78 35.5 76 43ZM80 45.5 82 38 108 37 116 44Z" />
      <path d="M11 36 19 30 80 27.3 78.6 33ZM82.6 35.5 84 29.8 97 29.2 105 34.6Z" opacity="0.72" />
      <path d="M21.5 27.6 29 22.6 82 20.3 80.8 25ZM84.8 27.4 86 22.6 91 22.4 96 26.9Z" opacity="0.5" />
      <path d="M31.5 20.4 40 15.8 82.5 14 82 18.2Z" opacity="0.34" />
      <path d="M44 13.7 54 9.6 71 8.9 80 12.1Z" opacity="0.2" />
    </svg>
  );
}
