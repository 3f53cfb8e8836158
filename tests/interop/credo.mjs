// Credo, by the OpenWallet Foundation: an agent that judges our SD-JWT VCs, and issues and presents
// one for us. Its keys are node's own and its store a map, in place of its native ones.
//
//   node credo.mjs CASES
//
// CASES is {"uri": of the status list, "verify": {name: {token, nonce, audience, list}}, "issue":
// {claims, frame, reveal, nonce, audience, at}, "jose": {name: vc+jwt}}; the answer {"verified":
// {name: {valid, error, claims}}, "issued": {did, token, presented}, "jose": {name: {valid, steps}}}. Of the web it sees a case's "list" and no more.
import './offline.mjs';
import 'reflect-metadata';
import {
  createPublicKey, generateKeyPairSync, randomBytes, sign, verify
} from 'node:crypto';
import {EventEmitter} from 'node:events';
import {readFileSync} from 'node:fs';
import {
  Agent, DidKey, DidsModule, InjectionSymbols, KeyDidResolver, Kms, RecordNotFoundError,
  W3cV2JwtVerifiableCredential
} from '@credo-ts/core';

const cases = JSON.parse(readFileSync(process.argv[2], 'utf8'));

class NodeKeys {
  backend = 'node';
  keys = new Map();

  isOperationSupported(_, {operation, algorithm}) {
    return operation === 'randomBytes' || operation === 'createKey' ||
      (['sign', 'verify'].includes(operation) && ['EdDSA', 'Ed25519', 'ES256'].includes(algorithm));
  }
  async getPublicKey(_, keyId) {
    return this.keys.get(keyId)?.publicJwk ?? null;
  }
  async createKey(_, {keyId, type}) {
    const pair = type.kty === 'OKP' ?
      generateKeyPairSync('ed25519') : generateKeyPairSync('ec', {namedCurve: type.crv});
    const publicJwk = {...pair.publicKey.export({format: 'jwk'}), kid: keyId};
    this.keys.set(keyId, {publicJwk, secret: pair.privateKey});
    return {keyId, publicJwk};
  }
  async sign(_, {keyId, algorithm, data}) {
    const {secret: key} = this.keys.get(keyId);
    return {signature: new Uint8Array(sign(digest(algorithm), data, {key, dsaEncoding}))};
  }
  async verify(_, {key: {keyId, publicJwk}, algorithm, data, signature}) {
    publicJwk ??= this.keys.get(keyId).publicJwk;
    const key = createPublicKey({key: publicJwk, format: 'jwk'});
    const verified = verify(digest(algorithm), data, {key, dsaEncoding}, signature);
    return verified ? {verified, publicJwk} : {verified};
  }
  randomBytes(_, {length}) {
    return new Uint8Array(randomBytes(length));
  }
}
const dsaEncoding = 'ieee-p1363';
const digest = algorithm => algorithm === 'ES256' ? 'sha256' : null;

class Memory {
  records = new Map();
  supportsCursorPagination = false;

  async save(_, record) {
    this.records.set(record.id, record);
  }
  update = this.save;
  async getAll(_, kind) {
    return [...this.records.values()].filter(record => record.type === kind.type);
  }
  async getById(_, kind, id) {
    const record = this.records.get(id);
    if(!record) {
      throw new RecordNotFoundError(`no ${id}`, {recordType: kind.type});
    }
    return record;
  }
  async findByQuery(context, kind, query) {
    const records = await this.getAll(context, kind);
    return query.did || query.$or ?
      records.filter(({did}) => did === (query.did ?? query.$or[1].did)) : records;
  }
}

const keys = new NodeKeys();
let published;
const agent = new Agent({
  config: {autoUpdateStorageOnStartup: false},
  dependencies: {
    FileSystem: class {},
    EventEmitterClass: EventEmitter,
    WebSocketClass: class {},
    fetch: async url => url === cases.uri && published ?
      new Response(published) : new Response('', {status: 404})
  },
  modules: {
    dids: new DidsModule({resolvers: [new KeyDidResolver()]}),
    kms: new Kms.KeyManagementModule({backends: [keys]}),
    memory: {
      register: manager => manager.registerInstance(InjectionSymbols.StorageService, new Memory())
    }
  }
});
const said = error => error && [error.message, error.cause?.message].filter(Boolean).join(': ');

async function judge({token, nonce, audience, list}) {
  published = list;
  const result = await agent.sdJwtVc.verify({
    compactSdJwtVc: token,
    keyBinding: {nonce, audience}
  });
  const claims = result.sdJwtVc?.prettyClaims;
  return {valid: result.isValid, error: said(result.error), claims};
}

async function judgeJose(text) {
  const credential = W3cV2JwtVerifiableCredential.fromCompact(text);
  const {isValid, validations} = await agent.w3cV2Credentials.verifyCredential({credential});
  const steps = Object.entries(validations).map(([step, result]) => [step, result.isValid]);
  return {valid: isValid, steps: Object.fromEntries(steps)};
}

async function created(type) {
  const {keyId, publicJwk} = await agent.kms.createKey({type, keyId: `key-${type.crv}`});
  const key = Kms.PublicJwk.fromPublicJwk(publicJwk);
  const {did, didDocument} = new DidKey(key);
  const method = didDocument.verificationMethod[0].id;
  const relative = `#${method.split('#')[1]}`;
  await agent.dids.import({
    did, didDocument, keys: [{kmsKeyId: keyId, didDocumentRelativeKeyId: relative}]
  });
  return {did, method, key, keyId};
}

async function issue({claims, frame, reveal, nonce, audience, at}) {
  const issuer = await created({kty: 'OKP', crv: 'Ed25519'});
  const holder = await created({kty: 'EC', crv: 'P-256'});
  const made = await agent.sdJwtVc.sign({
    payload: claims,
    disclosureFrame: frame,
    issuer: {method: 'did', didUrl: issuer.method},
    holder: {method: 'jwk', jwk: holder.key}
  });
  const presented = await agent.sdJwtVc.present({
    sdJwtVc: {...made, kmsKeyId: holder.keyId},
    presentationFrame: reveal,
    verifierMetadata: {nonce, audience, issuedAt: at}
  });
  return {did: issuer.did, token: made.compact, presented};
}

const verified = {};
for(const [name, one] of Object.entries(cases.verify)) {
  verified[name] = await judge(one);
}
const jose = {};
for(const [name, text] of Object.entries(cases.jose)) {
  jose[name] = await judgeJose(text);
}
process.stdout.write(JSON.stringify({verified, jose, issued: await issue(cases.issue)}));
