// Turns the network off for this process: whatever verifies here does so from local files only.
import net from 'node:net';
import dns from 'node:dns';

const refuse = () => {
  throw new Error('the network is off');
};
net.Socket.prototype.connect = refuse;
dns.lookup = refuse;
globalThis.fetch = async () => refuse();
