export default {
  networks: {
    node: { type: "edr-simulated", chainType: "l1", hardfork: "prague", chainId: 31337, mining: { auto: true } },
  },
};
