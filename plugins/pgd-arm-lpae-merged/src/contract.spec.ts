import { manifestSuite, pgdSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
pgdSuite(manifest, {
  knobs: [{}, { ceiling: false }],
  formats: [{}, { pageOffset: '0x80000000' }],
});
