/** Who may import whom in src/: what lint holds, and what a test breaks on purpose to see that lint notices. */

const sharedFolder = 'src/shared';

/** For each folder below src/extension, the others that it may import beside src/shared. */
export const allowedImports = {
  platform: [],
  recorder: ['platform'],
  activity: ['platform'],
  storage: ['platform'],
  media: ['recorder', 'storage', 'platform'],
  enrichment: ['media', 'storage', 'platform'],
  session: ['recorder', 'activity', 'storage', 'enrichment', 'platform'],
  review: ['session', 'storage', 'enrichment', 'platform'],
  ui: ['review', 'session', 'storage', 'enrichment', 'platform'],
};

const extensionFolders = Object.entries(allowedImports).map(([folder, others]) => ({
  target: `src/extension/${folder}`,
  from: 'src',
  except: ['shared', `extension/${folder}`, ...others.map((other) => `extension/${other}`)].map((path) => `./${path}`),
  message: `src/extension/${folder} may import ${['shared', ...others].join(', ')}.`,
}));

export const importZones = [
  { target: sharedFolder, from: 'src', except: ['./shared'], message: 'src/shared imports nothing of ours.' },
  {
    target: 'src/webviews',
    from: 'src',
    except: ['./shared', './webviews'],
    message: 'Webviews import src/shared and src/webviews/common.',
  },
  {
    target: 'src/webviews/common',
    from: 'src/webviews',
    except: ['./common'],
    message: 'common serves every panel and knows none.',
  },
  ...extensionFolders,
  { target: 'src', from: 'src/extension/extension.ts', message: 'Nothing imports the composition root.' },
  // Session sees the recorder through its port alone.
  {
    target: 'src/extension/session',
    from: 'src/extension/recorder',
    except: ['./recorder.ts'],
    message: 'session imports the port recorder/recorder.ts, not what is behind it.',
  },
];

/** Where `vscode` may be imported as a value; everywhere else types only, so that it runs in plain Node. */
export const vscodeValueFolders = [
  'src/extension/extension.ts',
  'src/extension/platform/**/*.ts',
  'src/extension/activity/**/*.ts',
  'src/extension/review/**/*.ts',
  'src/extension/ui/**/*.ts',
];
