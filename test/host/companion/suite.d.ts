declare module 'work-sessions-host-suite' {
  export function loadSuite(): Promise<void>;
}
