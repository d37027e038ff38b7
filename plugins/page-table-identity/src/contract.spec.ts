import { manifestSuite, pageTableSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
pageTableSuite(manifest, { maps: false, knobs: [{}, { pageSize: '64KiB' }] });
