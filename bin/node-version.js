/** The oldest Node that runs this program. */
const oldest = 24;

/** The Node that `npm install` puts into a checkout, seen from this folder. */
export const ownNode =
  process.platform === 'win32' ? '../node_modules/node/bin/node.exe' : '../node_modules/node/bin/node';

export function isOldNode() {
  return Number(process.versions.node.split('.')[0]) < oldest;
}

export function oldNodeMessage(isCheckout) {
  const version = process.versions.node;
  const fix = isCheckout
    ? 'Run "npm install": it installs its own Node for this folder. Or install Node '
    : 'Install Node ';
  return `sluice: Node ${version} is too old. ${fix}${oldest} or newer: https://nodejs.org/en/download`;
}
