// The Digital Credentials Consortium's verifier, with the contexts it ships itself.
//
//   node verifiercore.mjs CREDENTIAL    its log of checks, and errors if any
import './offline.mjs';
import {readFileSync} from 'node:fs';
import {verifyCredential} from '@digitalcredentials/verifier-core';

const credential = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const result = await verifyCredential({credential, knownDIDRegistries: []});
const errors = (result.errors ?? []).map(error => `${error.name}: ${error.message}`);
process.stdout.write(JSON.stringify({log: result.log ?? [], errors}));
