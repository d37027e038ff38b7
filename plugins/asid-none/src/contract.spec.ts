import { asidSuite, manifestSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

manifestSuite(manifest);
asidSuite(manifest, { tellsApart: false });
