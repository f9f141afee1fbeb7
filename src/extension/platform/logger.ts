/** The log: one channel for the extension, a prefix for each component. Never a key, a file's contents or a transcript in it. */

export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string, cause?: unknown): void;
}

/** A logger that puts the component's name before every line of another. */
export function prefixed(log: Logger, component: string): Logger {
  const prefix = (message: string) => `[${component}] ${message}`;
  return {
    debug: (message) => log.debug(prefix(message)),
    info: (message) => log.info(prefix(message)),
    warn: (message) => log.warn(prefix(message)),
    error: (message, cause) => log.error(prefix(message), cause),
  };
}
