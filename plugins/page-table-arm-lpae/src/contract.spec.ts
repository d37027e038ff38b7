import { manifestSuite, pageTableSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
pageTableSuite(manifest, { knobs: [{}, { pageOffset: '0x80000000' }] });
