import { fileURLToPath } from 'node:url';
import { fixture } from '../support/sites.ts';
import { conformance } from './conformance.ts';

conformance('a command string', () => ({
  fork: fileURLToPath(fixture('run-here')),
  host: 'elsewhere.example',
}));
