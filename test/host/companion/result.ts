/** What a run of the host suite tells whoever started it. */
export interface HostTestResult {
  /** Titles. */
  passed: string[];
  failures: { title: string; error: string }[];
}
