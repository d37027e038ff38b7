export { manifest as default } from './manifest.ts';
