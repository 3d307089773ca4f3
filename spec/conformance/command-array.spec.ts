import { conformance } from './conformance.ts';

conformance('a command array', () => ({
  fork: ['env', 'OFFSITE_TEST_HOST={host}'],
  host: 'elsewhere.example',
}));
