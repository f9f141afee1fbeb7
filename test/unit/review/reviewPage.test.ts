/** What the page allows, and what may be opened from it. */
import assert from 'node:assert/strict';
import { openableScheme } from '../../../src/extension/review/openableFile.ts';
import { reviewHtml } from '../../../src/extension/review/reviewHtml.ts';

const page = {
  sessionId: '00000000-0000-4000-8000-000000000001',
  language: 'en',
  cspSource: 'https://resources.example',
  scriptUrl: 'https://resources.example/review.js',
  styleUrls: ['https://resources.example/review.css'],
};

describe('reviewHtml', () => {
  const policyOf = (html: string): string => /content="(default-src[^"]*)"/.exec(html)?.[1] ?? '';

  it('allows nothing by default, scripts by nonce, and resources from the panel’s own roots', () => {
    const html = reviewHtml(page, 'N1', 'N2');
    assert.deepEqual(policyOf(html).split('; '), [
      `default-src 'none'`,
      `script-src 'nonce-N1'`,
      `style-src https://resources.example 'nonce-N2'`,
      ...['img-src', 'media-src', 'connect-src', 'font-src'].map((kind) => `${kind} https://resources.example`),
    ]);
    assert.doesNotMatch(html, /unsafe|https:\/\/(?!resources\.example)/);
    assert.match(html, /<script type="module" nonce="N1" src=/);
  });

  it('takes new nonces for every page, and never the same for scripts as for styles', () => {
    const [first, second] = [policyOf(reviewHtml(page)), policyOf(reviewHtml(page))];
    assert.notEqual(first, second);
    const nonces = first.match(/nonce-[\w-]+/g);
    assert.equal(new Set(nonces).size, 2);
  });

  it('escapes what it writes into attributes', () => {
    const html = reviewHtml({ ...page, language: '"><script>x</script>' });
    assert.doesNotMatch(html, /<script>x/);
  });
});

describe('openableScheme', () => {
  it('admits what a workspace can hold', () => {
    for (const uri of ['file:///a.ts', 'vscode-remote://ssh/a.ts', 'untitled:Untitled-1', 'vscode-vfs://github/a']) {
      assert.equal(openableScheme(uri), uri.slice(0, uri.indexOf(':')));
    }
  });
  it('refuses commands, web pages and whatever is no address', () => {
    for (const uri of [
      'command:workbench.action.quit',
      'COMMAND:x',
      'https://a',
      'javascript:1',
      'vscode:x',
      '/a.ts',
      '',
    ]) {
      assert.equal(openableScheme(uri), undefined, uri);
    }
  });
});
