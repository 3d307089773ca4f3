import { conformance } from './conformance.ts';

conformance('virtual', () => ({ fork: 'virtual' }));
