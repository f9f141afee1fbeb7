/** Skips rendering a component whose props are the same; Preact keeps its own in the compatibility layer, which is not bundled. */
import { Component, type ComponentChild, type FunctionComponent, h } from 'preact';

export function memo<P extends object>(render: (props: P) => ComponentChild): FunctionComponent<P> {
  class Memo extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      const keys = Object.keys(next) as (keyof P)[];
      return keys.some((key) => next[key] !== this.props[key]);
    }
    override render(): ComponentChild {
      return render(this.props);
    }
  }
  return (props: P) => h(Memo, props);
}
