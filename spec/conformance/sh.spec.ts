import { conformance } from './conformance.ts';

conformance('sh', () => ({ fork: 'sh' }));
