/** Writes the review panel's page: a policy that allows nothing by default, and places for the script and its styles. */
import { randomBytes } from 'node:crypto';

export interface ReviewPage {
  readonly sessionId: string;
  readonly language: string;
  /** `Webview.cspSource`: the origin of resources inside the panel's roots. */
  readonly cspSource: string;
  readonly scriptUrl: string;
  readonly styleUrls: readonly string[];
}

/** Scripts and styles have different nonces: the one for styles can be read from the page. Nothing recorded is written into the page: the session's data comes as messages, and is set as text. */
export function reviewHtml(page: ReviewPage, nonce = createNonce(), styleNonce = createNonce()): string {
  const policy = [
    `default-src 'none'`,
    `script-src 'nonce-${nonce}'`,
    // The toolkit adopts its sheets, but tries out one rule in a style element, with the nonce that it finds below.
    `style-src ${page.cspSource} 'nonce-${styleNonce}'`,
    ...['img-src', 'media-src', 'connect-src', 'font-src'].map((kind) => `${kind} ${page.cspSource}`),
  ].join('; ');
  const styles = page.styleUrls.map((url) => `<link rel="stylesheet" href="${escapeAttribute(url)}">`).join('\n  ');
  return `<!DOCTYPE html>
<html lang="${escapeAttribute(page.language)}">
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy" content="${escapeAttribute(policy)}">
  <meta property="csp-nonce" content="${styleNonce}">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Session review</title>
  ${styles}
</head>
<body>
  <div id="root" data-session-id="${escapeAttribute(page.sessionId)}"></div>
  <script type="module" nonce="${nonce}" src="${escapeAttribute(page.scriptUrl)}"></script>
</body>
</html>`;
}

function createNonce(): string {
  return randomBytes(24).toString('base64url');
}

function escapeAttribute(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
