import tseslint from 'typescript-eslint';

/** Floors from the ground up; a file may import from its own floor and those before it. */
const floors = [
  'lib/wire',
  'lib/ticket',
  'lib/module',
  'lib/cluster',
  'lib/access',
  'lib/discovery',
  'lib/jobs',
  'lib/engine',
  'lib/fork',
  'lib/daemon',
  'actors',
  'lib/cli',
];

const noUpwardImports = floors.map((floor, height) => ({
  files: [`${floor}/**/*.ts`, ...(floor === 'actors' ? ['actors/*.ts'] : [])],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^(?:\\.\\./)+(?:lib/)?(?:${[...floors.slice(height + 1), 'lib/index.ts', 'index.ts']
              .map((above) => above.replace(/^lib\//, ''))
              .join('|')})(?:/|$)`,
            message: `${floor} is below it: imports go down the floors, never up (docs/how-it-works.md).`,
          },
        ],
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'coverage/', 'spec/support/fixtures/', '**/*.js'] },
  {
    files: ['**/*.ts'],
    languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true } },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-deprecated': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'off',
    },
  },
  ...noUpwardImports,
);
