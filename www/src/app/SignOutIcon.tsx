/** An arrow out of a door; the words beside it carry the meaning. */
export function SignOutIcon() {
  return (
    <svg class="oc-icon" viewBox="0 0 20 20" width="18" height="18" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d="M8 4H5.5A1.5 1.5 0 0 0 4 5.5v9A1.5 1.5 0 0 0 5.5 16H8M8.5 10H16M13 6.5l3.5 3.5-3.5 3.5" />
    </svg>
  );
}
