/** The product's mark: a rock that stands out. The words beside it carry the name. */
export function Mark(props: { size: number }) {
  return <svg class="app-mark" viewBox="0 0 32 32" width={props.size} height={props.size} aria-hidden="true"><path d="M2 27 12 7l6 10 4-7 8 17z" fill="currentColor" /></svg>;
}
