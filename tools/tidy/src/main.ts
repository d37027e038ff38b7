import { fileURLToPath } from 'node:url';
import { CHECKS } from './checks.ts';
import { formatFinding } from './finding.ts';
import { readRepository } from './repository.ts';

/** `npm run tidy`: every finding on stdout, exit code 1 if there is one. */
const files = readRepository(fileURLToPath(new URL('../../..', import.meta.url)));
const findings = Object.values(CHECKS).flatMap((check) => check(files));
for (const finding of findings) console.log(formatFinding(finding));
console.log(`tidy: ${files.length} files, ${findings.length} findings`);
process.exitCode = findings.length > 0 ? 1 : 0;
