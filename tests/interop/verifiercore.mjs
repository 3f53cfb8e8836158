// The Digital Credentials Consortium's verifier, with the contexts it ships itself.
//
//   node verifiercore.mjs CREDENTIAL    its log of checks, and errors if any
//   node verifiercore.mjs many CASES    {name: [credential, web, registries]}, answers by name
//
// WEB is what may be fetched, {url: document}: its fetch is answered from there and from nowhere
// else. REGISTRIES is the list of issuer registries it is told to trust.
import './offline.mjs';
import {readFileSync} from 'node:fs';
import {verifyCredential} from '@digitalcredentials/verifier-core';

const off = globalThis.fetch;
const json = path => JSON.parse(readFileSync(path, 'utf8'));

async function judge(credential, web = {}, knownDIDRegistries = []) {
  globalThis.fetch = async request => {
    const url = typeof request === 'string' ? request : request.url;
    return Object.hasOwn(web, url) ? Response.json(web[url]) : off(request);
  };
  const result = await verifyCredential({credential, knownDIDRegistries});
  const errors = (result.errors ?? []).map(error => `${error.name}: ${error.message}`);
  return {log: result.log ?? [], errors};
}

const [, , first, cases] = process.argv;
const answer = {};
if(first === 'many') {
  for(const [name, words] of Object.entries(json(cases))) {
    answer[name] = await judge(...words);
  }
}
process.stdout.write(JSON.stringify(first === 'many' ? answer : await judge(json(first))));
