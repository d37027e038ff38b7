import { manifestSuite, pgdSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
pgdSuite(manifest, { formats: [{}, { pageOffset: '0x80000000' }] });
