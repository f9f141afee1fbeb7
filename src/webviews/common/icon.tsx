/** A codicon; decoration only, the words beside it or the control around it say what it means. */
export function Icon(props: { readonly name: string; readonly class?: string }) {
  return <span class={`codicon codicon-${props.name} ${props.class ?? ''}`} aria-hidden="true" />;
}
