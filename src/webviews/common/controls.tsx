/** The only import of the (archived) webview toolkit: thin wrappers, so that it can be replaced here and nowhere else. */
import { provideVSCodeDesignSystem, vsCodeBadge, vsCodeButton, vsCodeProgressRing } from '@vscode/webview-ui-toolkit';
import type { ComponentChildren, HTMLAttributes } from 'preact';
import { Icon } from './icon.tsx';

provideVSCodeDesignSystem().register(vsCodeBadge(), vsCodeButton(), vsCodeProgressRing());

type ToolkitElement = HTMLAttributes<HTMLElement> & { readonly appearance?: string; readonly disabled?: boolean };
declare module 'preact' {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- the way to tell JSX of custom elements
  namespace JSX {
    interface IntrinsicElements {
      'vscode-badge': ToolkitElement;
      'vscode-button': ToolkitElement;
      'vscode-progress-ring': ToolkitElement;
    }
  }
}

export function Button(props: {
  readonly onClick: () => void;
  readonly children: ComponentChildren;
  readonly secondary?: boolean;
  readonly testId?: string;
}) {
  return (
    <vscode-button
      appearance={props.secondary ? 'secondary' : 'primary'}
      onClick={props.onClick}
      data-testid={props.testId}
    >
      {props.children}
    </vscode-button>
  );
}

/** A button that shows only an icon; `label` is its name and its tooltip. */
export function IconButton(props: {
  readonly icon: string;
  readonly label: string;
  readonly onClick: () => void;
  readonly testId?: string;
  readonly large?: boolean;
}) {
  return (
    <vscode-button
      appearance="icon"
      class={props.large ? 'icon-button large' : 'icon-button'}
      aria-label={props.label}
      title={props.label}
      onClick={props.onClick}
      data-testid={props.testId}
    >
      <Icon name={props.icon} />
    </vscode-button>
  );
}

export function Badge(props: { readonly children: ComponentChildren; readonly label?: string }) {
  return (
    <vscode-badge aria-label={props.label} title={props.label}>
      {props.children}
    </vscode-badge>
  );
}

export function ProgressRing(props: { readonly label: string }) {
  return <vscode-progress-ring aria-label={props.label} />;
}
