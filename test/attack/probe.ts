/** Asks an address again and again until stdin ends, then prints how long each response took, in milliseconds. */
const url = process.argv[2] as string;
const times: number[] = [];
let isOver = false;
process.stdin.on('end', () => {
  isOver = true;
});
process.stdin.resume();

while (!isOver) {
  const start = performance.now();
  await fetch(url).then((response) => response.text());
  times.push(Math.round(performance.now() - start));
  await new Promise((resolve) => setTimeout(resolve, 20));
}
// The first one also loads the client.
process.stdout.write(JSON.stringify(times.slice(1)));
