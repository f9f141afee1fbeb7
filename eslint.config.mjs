/** The rules that lint holds: TypeScript's strict ones, and who may import whom (ARCHITECTURE.md, "Folders"). */
import eslint from '@eslint/js';
import importX, { createNodeResolver } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';
import { importZones, vscodeValueFolders } from './importRules.mjs';

const ours = ['src/**/*.{ts,tsx}', 'test/**/*.{ts,tsx}', 'scripts/**/*.ts', 'bench/**/*.ts'];

/** Libraries that one file alone may import, so that they can be replaced there. */
const singleImports = [
  { name: 'ffi-rs', owner: 'src/extension/recorder/libraryBinding.ts' },
  { name: 'sql.js', owner: 'src/extension/storage/sessionIndex.ts' },
  { name: '@vscode/webview-ui-toolkit', owner: 'src/webviews/common/controls.tsx' },
];

const onlyTypesOfVscode = {
  name: 'vscode',
  message: 'vscode as a value belongs to the thin edges (see importRules.mjs); import types only, or take a parameter.',
  allowTypeImports: true,
};
const notHere = ({ name, owner }) => ({ name, message: `Only ${owner} imports ${name}.` });
const restrictImports = (paths) => ({ '@typescript-eslint/no-restricted-imports': ['error', { paths }] });

export default tseslint.config(
  {
    ignores: [
      'dist',
      'out',
      'node_modules',
      '.tools',
      '.cache',
      'native-recorder',
      '**/*.mjs',
      'test/fixtures/sample-workspace',
    ],
  },
  {
    files: ours,
    extends: [eslint.configs.recommended, ...tseslint.configs.strictTypeChecked],
    plugins: { 'import-x': importX },
    languageOptions: {
      parserOptions: {
        project: ['tsconfig.json', 'src/webviews/tsconfig.json', 'test/*/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    settings: {
      'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts', '.tsx', '.js'] })],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts', '.tsx'] },
    },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones: importZones }],
      'import-x/no-default-export': 'error',
      'import-x/no-cycle': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // `fromPromise<void>` is a call, which the rule does not know from a variable's type.
      '@typescript-eslint/no-invalid-void-type': 'off',
      // `void promise` says on purpose that nobody waits.
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  { files: ['scripts/**', 'bench/**', 'test/**'], rules: { 'no-console': 'off' } },
  {
    files: ['test/**'],
    // Fakes keep the promise of the interface that they stand for, whether they wait or not.
    rules: { '@typescript-eslint/require-await': 'off' },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    rules: restrictImports([onlyTypesOfVscode, ...singleImports.map(notHere)]),
  },
  {
    files: vscodeValueFolders,
    rules: restrictImports(singleImports.map(notHere)),
  },
  ...singleImports.map(({ name, owner }) => ({
    files: [owner],
    rules: restrictImports([onlyTypesOfVscode, ...singleImports.filter((other) => other.name !== name).map(notHere)]),
  })),
);
