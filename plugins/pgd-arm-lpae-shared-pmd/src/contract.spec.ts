import { manifestSuite, pgdSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
pgdSuite(manifest, { leaks: true });
