/** The webview's end of its conversation with the extension, and the state that VS Code keeps for it while it is hidden. */
import { type EventListeners, MessageHandler, type RequestHandlers } from '../../shared/protocol/messageHandler.ts';
import type { CodedError } from '../../shared/errors.ts';
import type { Contract } from '../../shared/protocol/messages.ts';

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

/** May be acquired only once in a page's life. */
let acquired: VsCodeApi | undefined;

export function vscodeApi(): VsCodeApi {
  acquired ??= acquireVsCodeApi();
  return acquired;
}

export interface HostLinkOptions<Incoming extends Contract, Outgoing extends Contract> {
  readonly incoming: Incoming;
  readonly outgoing: Outgoing;
  readonly requests: RequestHandlers<Incoming>;
  readonly events: EventListeners<Incoming>;
  onProblem(error: CodedError): void;
}

/** VS Code delivers only the extension's messages to a webview; whatever else posts into the page fails the contract. */
export function connectToHost<Incoming extends Contract, Outgoing extends Contract>(
  options: HostLinkOptions<Incoming, Outgoing>,
): MessageHandler<Incoming, Outgoing> {
  const api = vscodeApi();
  const handler = new MessageHandler<Incoming, Outgoing>({
    ...options,
    post: (message) => api.postMessage(message),
  });
  window.addEventListener('message', (event) => handler.receive(event.data));
  return handler;
}
